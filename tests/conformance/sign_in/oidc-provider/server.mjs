// Start oidc-provider on free ports of 127.0.0.1, once for each profile of the job, each with a FHIR server behind it.
//
// The job comes as one line on standard input, and `{"PROFILE": ADDRESS, …}` goes out as one line when all is ready. Each
// FHIR server lets a request through to the upstream server when its token is good: bound to a key and proven (RFC 9449
// 7.1, by jose), or a bearer token, as its profile says. What happened is at ADDRESS/told. Ends with standard input.
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import readline from 'node:readline'
import { calculateJwkThumbprint, EmbeddedJWK, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { Provider } from 'oidc-provider'

const TOLD = [
  'pushed_authorization_request.success', 'pushed_authorization_request.error', 'authorization.error', 'grant.success',
  'grant.error', 'revocation.error', 'access_token.destroyed', 'refresh_token.destroyed', 'grant.revoked', 'server_error'
]

async function start(name, profile, job) {
  const server = http.createServer()
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  const here = `http://127.0.0.1:${server.address().port}`
  const told = {}
  const tell = (what) => { told[what] = (told[what] ?? 0) + 1 }
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const common = {
    redirect_uris: [job.redirect], response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'],
    id_token_signed_response_alg: 'ES256', dpop_bound_access_tokens: profile.dpop === 'required'
  }
  const provider = new Provider(here, {
    clients: job.clients.map((client) => ({ ...common, ...client })),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    scopes: ['openid', 'offline_access', ...job.scopes],
    claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
    conformIdTokenClaims: false,
    extraParams: ['aud', 'launch'],
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, fhirUser: job.fhirUser }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    // Longer than the app wants of a token that it uses, and no longer than this run can wait for its end.
    ttl: { AccessToken: job.seconds, Grant: 600, IdToken: 600, RefreshToken: 600, Session: 600, Interaction: 600 },
    pkce: { required: () => true },
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'], idTokenSigningAlgValues: ['ES256'] },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      introspection: { enabled: false },
      pushedAuthorizationRequests: {
        enabled: profile.par !== 'none', requirePushedAuthorizationRequests: profile.par === 'required'
      },
      dPoP: {
        enabled: profile.dpop !== 'none', nonceSecret: randomBytes(32), requireNonce: () => profile.nonces
      }
    }
  })
  TOLD.forEach((event) => provider.on(event, (...of) => {
    tell(event)
    const error = of.find((one) => one instanceof Error)
    if (error) tell(`${error.error ?? error.name}: ${error.error_detail ?? ''} ${error.error_description ?? error.message}`)
  }))

  const tellAud = ({ aud, client_id: id }) => {
    tell(`aud ${aud?.startsWith(`${here}/fhir/${id}`) ? 'as launched' : 'of another'}`)
  }
  provider.on('pushed_authorization_request.success', (ctx) => tellAud(ctx.oidc.body))

  // Nobody is asked anything: whoever comes is signed in and agrees.
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/fhir/')) return fhir(ctx)
    if (ctx.path === '/told') { ctx.body = told; return undefined }
    if (ctx.path.startsWith('/interaction/')) {
      const { params } = await provider.interactionDetails(ctx.req, ctx.res)
      if (profile.par === 'none') tellAud(params)
      const grant = new provider.Grant({ accountId: job.account, clientId: params.client_id })
      grant.addOIDCScope(params.scope)
      const consent = { grantId: await grant.save() }
      const done = { login: { accountId: job.account }, consent }
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, done, { mergeWithLastSubmission: false }))
      return undefined
    }
    await next()
    if (ctx.oidc?.route === 'token' && ctx.status === 200) Object.assign(ctx.body, { patient: job.patient })
    return undefined
  })

  const seen = new Set()
  const nonces = profile.nonces ? [randomBytes(16).toString('hex')] : []

  async function fhir(ctx) {
    const rest = ctx.path.split('/').slice(3)
    if (rest.join('/') === '.well-known/smart-configuration') {
      ctx.body = {
        ...(await (await fetch(`${here}/.well-known/openid-configuration`)).json()),
        capabilities: ['launch-ehr', 'sso-openid-connect', 'permission-offline', 'permission-v2']
      }
      return
    }
    const wrong = rest[0] === 'metadata' ? '' : await refusal(ctx)
    if (wrong) {
      tell(`refused: ${wrong}`)
      const scheme = profile.resource === 'bearer' ? 'Bearer' : 'DPoP'
      ctx.status = 401
      ctx.set('WWW-Authenticate', `${scheme} error="${wrong}"`)
      if (nonces.length) ctx.set('DPoP-Nonce', nonces.at(-1))
      ctx.body = {}
      return
    }
    const body = []
    for await (const part of ctx.req) body.push(part)
    const headers = { authorization: `Bearer ${job.upstreamToken}`, accept: 'application/fhir+json' }
    for (const name of ['content-type', 'if-match', 'if-none-match', 'if-none-exist', 'prefer']) {
      if (ctx.get(name)) headers[name] = ctx.get(name)
    }
    const url = `${job.upstream}/${rest.join('/')}${ctx.search}`
    const answer = await fetch(url, { method: ctx.method, headers, body: body.length ? Buffer.concat(body) : undefined })
    ctx.status = answer.status
    for (const name of ['etag', 'location']) if (answer.headers.get(name)) ctx.set(name, answer.headers.get(name))
    ctx.set('Content-Type', 'application/fhir+json')
    if (profile.nonces && answer.ok) {
      // A nonce is good for three requests; the next one comes with a good answer (RFC 9449 8.2).
      if (seen.size % 3 === 0) nonces.push(randomBytes(16).toString('hex'))
      ctx.set('DPoP-Nonce', nonces.at(-1))
    }
    ctx.body = Buffer.from(await answer.arrayBuffer())
  }

  // Why a request to the FHIR server is refused, '' where it is not.
  async function refusal(ctx) {
    const [scheme, value] = ctx.get('Authorization').split(' ')
    const token = value && await provider.AccessToken.find(value)
    if (!token || token.isExpired) return 'invalid_token'
    if (profile.resource === 'bearer') return scheme === 'Bearer' ? '' : 'invalid_token'
    if (scheme !== 'DPoP' || !token.jkt) return 'invalid_token'
    try {
      const { payload, protectedHeader } = await jwtVerify(ctx.get('DPoP'), EmbeddedJWK, {
        typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: '60s', clockTolerance: 5
      })
      if (payload.htm !== ctx.method || payload.htu !== `${here}${ctx.path}`) return 'invalid_dpop_proof'
      if (payload.ath !== createHash('sha256').update(value).digest('base64url')) return 'invalid_dpop_proof'
      if (await calculateJwkThumbprint(protectedHeader.jwk) !== token.jkt) return 'invalid_token'
      if (seen.has(payload.jti)) return 'invalid_dpop_proof'
      if (nonces.length && payload.nonce !== nonces.at(-1)) return 'use_dpop_nonce'
      seen.add(payload.jti)
      tell('proven at the FHIR server')
      return ''
    } catch {
      return 'invalid_dpop_proof'
    }
  }

  server.on('request', provider.callback())
  return [name, here]
}

const lines = readline.createInterface({ input: process.stdin })
lines.once('line', async (line) => {
  const job = JSON.parse(line)
  const started = await Promise.all(Object.entries(job.profiles).map(([name, profile]) => start(name, profile, job)))
  console.log(`ready ${JSON.stringify(Object.fromEntries(started))}`)
})
lines.once('close', () => process.exit(0))

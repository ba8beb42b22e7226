"""SMART App Launch 2.2: from `iss` to a launch with a person, a user and a token.

In the order of a sign-in: `discovery` (where is the authorization server), `authorization` (the address we send the
browser to, and the state that must come back), `tokens` (code for token, refresh, revocation), `identity` (who
signed in). `keys` are our own signing keys, `backend` signs in a program without a person. The addresses are a page,
`pages.sign_in`; what was granted is read by `fhir.scopes`.
"""

package nl.verstel.conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.server.cdshooks.CdsServiceRequestContextJson;
import ca.uhn.fhir.rest.api.server.cdshooks.CdsServiceRequestJson;
import ca.uhn.hapi.fhir.cdshooks.api.json.CdsServiceJson;
import ca.uhn.hapi.fhir.cdshooks.api.json.CdsServiceResponseJson;
import ca.uhn.hapi.fhir.cdshooks.api.json.CdsServicesJson;
import ca.uhn.hapi.fhir.cdshooks.module.CdsHooksObjectMapperFactory;
import ca.uhn.hapi.fhir.cdshooks.svc.prefetch.PrefetchTemplateUtil;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.Map;
import java.util.UUID;

/**
 * A CDS client made of the parts of others. HAPI FHIR reads discovery, fills in the prefetch templates, writes the call and
 * reads the cards; Nimbus signs the token.
 *
 * <p>Standard input: one JSON object with services (the address of discovery), fhirServer, accessToken (for it), iss, key
 * (a private JWK), hook, context. Standard output: one JSON object with discovery and cards as they came and as HAPI writes them again,
 * queries, and status. Exit code 0 unless something broke.
 */
public final class Hooks {
    private static final FhirContext R4 = FhirContext.forR4Cached();
    private static final ObjectMapper MAPPER = new CdsHooksObjectMapperFactory(R4).newMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private Hooks() {}

    public static void main(String[] arguments) throws Exception {
        JsonNode job = new ObjectMapper().readTree(System.in);
        String services = job.get("services").asText();
        ObjectNode out = new ObjectMapper().createObjectNode();
        HttpResponse<String> found = send(HttpRequest.newBuilder(URI.create(services)).GET());
        CdsServicesJson discovery = MAPPER.readValue(found.body(), CdsServicesJson.class);
        out.set("discovery", MAPPER.valueToTree(discovery));
        out.set("sentDiscovery", MAPPER.readTree(found.body()));
        CdsServiceJson service = discovery.getServices().stream()
                .filter(one -> one.getHook().equals(job.get("hook").asText()))
                .findFirst()
                .orElseThrow();
        CdsServiceRequestJson call = call(job, service, out.putObject("queries"));
        String address = services + "/" + service.getId();
        HttpResponse<String> answer = send(HttpRequest.newBuilder(URI.create(address))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + token(job, address))
                .POST(HttpRequest.BodyPublishers.ofString(MAPPER.writeValueAsString(call))));
        out.put("status", answer.statusCode());
        out.set("sentAnswer", MAPPER.readTree(answer.body()));
        if (answer.statusCode() == 200) {
            out.set("answer", MAPPER.valueToTree(MAPPER.readValue(answer.body(), CdsServiceResponseJson.class)));
        }
        System.out.println(out);
    }

    private static CdsServiceRequestJson call(JsonNode job, CdsServiceJson service, ObjectNode queries) throws Exception {
        CdsServiceRequestContextJson context = new CdsServiceRequestContextJson();
        job.get("context").fields().forEachRemaining(one -> context.put(one.getKey(), one.getValue().asText()));
        CdsServiceRequestJson call = new CdsServiceRequestJson();
        call.setHook(service.getHook());
        call.setHookInstance(UUID.randomUUID().toString());
        call.setFhirServer(job.get("fhirServer").asText());
        call.setContext(context);
        for (Map.Entry<String, String> template : service.getPrefetch().entrySet()) {
            String query = PrefetchTemplateUtil.substituteTemplate(template.getValue(), context, R4);
            queries.put(template.getKey(), query);
            HttpResponse<String> found = send(HttpRequest.newBuilder(
                            URI.create(job.get("fhirServer").asText() + "/" + query.replace("|", encoded("|"))))
                    .header("Authorization", "Bearer " + job.get("accessToken").asText())
                    .header("Accept", "application/fhir+json")
                    .GET());
            if (found.statusCode() == 200) {
                call.addPrefetch(template.getKey(), R4.newJsonParser().parseResource(found.body()));
            }
        }
        return call;
    }

    private static String token(JsonNode job, String audience) throws Exception {
        ECKey key = ECKey.parse(job.get("key").toString());
        Date now = new Date();
        JWTClaimsSet claims = new JWTClaimsSet.Builder()
                .issuer(job.get("iss").asText())
                .audience(audience)
                .issueTime(now)
                .expirationTime(new Date(now.getTime() + 300_000))
                .jwtID(UUID.randomUUID().toString())
                .build();
        JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.ES384)
                .type(JOSEObjectType.JWT)
                .keyID(key.getKeyID())
                .build();
        SignedJWT signed = new SignedJWT(header, claims);
        signed.sign(new ECDSASigner(key));
        return signed.serialize();
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}

package nl.verstel.conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseResource;

/**
 * One folder of definitions (an unpacked FHIR package, or just JSON files), read when asked for.
 *
 * <p>HL7's terminology alone is 71 MB; a run needs a dozen files of it. Each file's address and version are
 * taken from the package's own index where there is one, else from the file.
 */
final class PackageFolder implements IValidationSupport {
    private static final Set<String> CONFORMANCE =
            Set.of("StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire", "ConceptMap",
                    "ActivityDefinition", "PlanDefinition", "SearchParameter", "CapabilityStatement",
                    "ImplementationGuide", "Library", "Measure");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FhirContext context;
    private final Map<String, Path> files = new HashMap<>();
    private final Map<Path, IBaseResource> read = new ConcurrentHashMap<>();

    PackageFolder(FhirContext context, Path folder) throws IOException {
        this.context = context;
        Path index = folder.resolve(".index.json");
        if (Files.isRegularFile(index)) {
            for (JsonNode entry : JSON.readTree(index.toFile()).path("files")) {
                remember(entry, folder.resolve(entry.path("filename").asText()));
            }
            return;
        }
        try (Stream<Path> found = Files.list(folder)) {
            for (Path file : found.filter(path -> path.toString().endsWith(".json")).sorted().toList()) {
                remember(JSON.readTree(file.toFile()), file);
            }
        }
    }

    private void remember(JsonNode entry, Path file) {
        String type = entry.path("resourceType").asText();
        String url = entry.path("url").asText("");
        if (url.isEmpty() || !CONFORMANCE.contains(type)) {
            return;
        }
        files.putIfAbsent(type + " " + url, file);
        files.putIfAbsent(type + " " + url + "|" + entry.path("version").asText(""), file);
    }

    private IBaseResource find(String type, String url) {
        Path file = url == null ? null : files.get(type + " " + url);
        return file == null ? null : read.computeIfAbsent(file, this::parse);
    }

    private IBaseResource parse(Path file) {
        try {
            return context.newJsonParser().parseResource(Files.readString(file));
        } catch (IOException | RuntimeException error) {
            throw new IllegalStateException("definition " + file.getFileName() + ": " + error.getMessage(), error);
        }
    }

    @Override
    public FhirContext getFhirContext() {
        return context;
    }

    @Override
    public IBaseResource fetchStructureDefinition(String url) {
        return find("StructureDefinition", url);
    }

    @Override
    public IBaseResource fetchCodeSystem(String url) {
        return find("CodeSystem", url);
    }

    @Override
    public IBaseResource fetchValueSet(String url) {
        return find("ValueSet", url);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends IBaseResource> T fetchResource(Class<T> type, String url) {
        if (type == null) {
            return null;
        }
        return (T) find(context.getResourceType(type), url);
    }
}

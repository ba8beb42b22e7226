package nl.verstel.conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * HL7's instance validator over files and folders, offline: no package cache, no terminology server.
 *
 * <p>Arguments: {@code --definitions FOLDER}... {@code --report FILE} then files (.json, .ndjson) and folders. With
 * {@code --stu3} they are FHIR STU3, and so are the definitions: XML files. Without any, what profiles and extensions ask is not judged.
 * The report holds every issue of every resource; what is acceptable is decided by whoever reads it.
 * Exit code 0: no issue of severity error or fatal; 1: some; 2: wrong usage.
 */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();

    private record Input(String name, String text) {}

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        List<Path> definitions = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        Path report = null;
        boolean stu3 = false;
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--definitions" -> definitions.add(Path.of(arguments[++i]));
                case "--stu3" -> stu3 = true;
                case "--report" -> report = Path.of(arguments[++i]);
                default -> files.add(Path.of(arguments[i]));
            }
        }
        if (report == null || files.isEmpty()) {
            System.err.println("usage: [--stu3] [--definitions FOLDER]... --report FILE FILE|FOLDER...");
            System.exit(2);
        }
        List<Input> inputs = new ArrayList<>();
        for (Path file : files) {
            collect(file, inputs);
        }
        long start = System.nanoTime();
        FhirValidator validator = validator(definitions, stu3);
        // The same text in two places is judged once: the journeys also leave what the sandbox's people have.
        List<String> texts = inputs.stream().map(Input::text).distinct().toList();
        Map<String, ObjectNode> judged = new ConcurrentHashMap<>();
        texts.parallelStream().forEach(text -> judged.put(text, validate(validator, text)));
        ObjectNode out = JSON.createObjectNode();
        out.put("engine", org.hl7.fhir.validation.instance.InstanceValidator.class.getName());
        out.put("version", org.hl7.fhir.utilities.VersionUtilities.class.getPackage().getImplementationVersion());
        out.put("seconds", (System.nanoTime() - start) / 1e9);
        ArrayNode list = out.putArray("resources");
        boolean refused = false;
        for (Input input : inputs) {
            ObjectNode result = JSON.createObjectNode().put("file", input.name());
            list.add(result.setAll(judged.get(input.text())));
            refused |= result.path("errors").asInt() > 0;
        }
        JSON.writerWithDefaultPrettyPrinter().writeValue(report.toFile(), out);
        System.exit(refused ? 1 : 0);
    }

    private static void collect(Path path, List<Input> into) throws IOException {
        if (Files.isDirectory(path)) {
            try (Stream<Path> found = Files.walk(path)) {
                for (Path file : found.filter(Files::isRegularFile).sorted().toList()) {
                    collect(file, into);
                }
            }
        } else if (path.toString().endsWith(".ndjson")) {
            List<String> lines = Files.readAllLines(path);
            for (int i = 0; i < lines.size(); i++) {
                if (!lines.get(i).isBlank()) {
                    into.add(new Input(path + "#" + (i + 1), lines.get(i)));
                }
            }
        } else if (path.toString().endsWith(".json") && !path.getFileName().toString().startsWith(".")) {
            String text = Files.readString(path);
            // package.json and the like are no resources.
            if (text.contains("\"resourceType\"")) {
                into.add(new Input(path.toString(), text));
            }
        }
    }

    private static FhirValidator validator(List<Path> definitions, boolean stu3) throws IOException {
        FhirContext context = stu3 ? FhirContext.forDstu3() : FhirContext.forR4();
        List<IValidationSupport> chain = new ArrayList<>();
        chain.add(new DefaultProfileValidationSupport(context));
        for (Path folder : definitions) {
            chain.add(stu3 ? xmlFolder(context, folder) : new PackageFolder(context, folder));
        }
        chain.add(new CommonCodeSystemsTerminologyService(context));
        chain.add(new InMemoryTerminologyServerValidationSupport(context));
        chain.add(new SnapshotGeneratingValidationSupport(context));
        FhirInstanceValidator engine =
                new FhirInstanceValidator(new ValidationSupportChain(chain.toArray(IValidationSupport[]::new)));
        if (!stu3) {
            engine.setValidatorResourceFetcher(new StatedTypes());
            engine.setValidatorPolicyAdvisor(new StatedTypes.Policy());
        }
        engine.setNoExtensibleWarnings(false);
        boolean known = !stu3 || !definitions.isEmpty();
        engine.setAnyExtensionsAllowed(!known);
        engine.setErrorForUnknownProfiles(known);
        engine.setBestPracticeWarningLevel(BestPracticeWarningLevel.Hint);
        return context.newValidator().registerValidatorModule(engine);
    }

    private static IValidationSupport xmlFolder(FhirContext context, Path folder) throws IOException {
        PrePopulatedValidationSupport read = new PrePopulatedValidationSupport(context);
        try (Stream<Path> found = Files.walk(folder)) {
            for (Path file : found.filter(one -> one.toString().endsWith(".xml")).sorted().toList()) {
                read.addResource(context.newXmlParser().parseResource(Files.readString(file)));
            }
        }
        return read;
    }

    private static ObjectNode validate(FhirValidator validator, String text) {
        ObjectNode result = JSON.createObjectNode();
        ArrayNode issues = result.putArray("issues");
        int errors = 0;
        try {
            for (SingleValidationMessage message : validator.validateWithResult(text).getMessages()) {
                ObjectNode issue = issues.addObject();
                String severity = message.getSeverity().getCode();
                issue.put("severity", severity);
                issue.put("at", message.getLocationString());
                issue.put("id", message.getMessageId());
                issue.put("text", message.getMessage());
                if (severity.equals("error") || severity.equals("fatal")) {
                    errors++;
                }
            }
        } catch (RuntimeException error) {
            // The engine itself gave up: that is a failure of this resource, never a pass.
            issues.addObject().put("severity", "fatal").put("at", "").put("id", "engine")
                    .put("text", String.valueOf(error));
            errors++;
        }
        result.put("errors", errors);
        return result;
    }
}

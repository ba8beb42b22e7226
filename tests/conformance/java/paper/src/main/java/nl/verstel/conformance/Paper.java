package nl.verstel.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * veraPDF over PDF files: for each pair of standard and file how many checks were made, and which rules were broken.
 *
 * <p>Arguments: {@code --report FILE} then pairs of a standard by veraPDF's name ({@code ua1}, {@code 2a}, ...) and a PDF.
 * Exit code 0: the report is written, whatever it says; 2: wrong usage.
 */
public final class Paper {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Paper() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 4 || arguments.length % 2 != 0 || !arguments[0].equals("--report")) {
            System.err.println("usage: --report FILE (STANDARD PDF)...");
            System.exit(2);
        }
        LogManager.getLogManager().reset();
        Logger.getLogger("").setLevel(Level.OFF);
        VeraGreenfieldFoundryProvider.initialise();
        ObjectNode out = JSON.createObjectNode();
        ArrayNode results = out.putArray("results");
        for (int i = 2; i < arguments.length; i += 2) {
            PDFAFlavour standard = PDFAFlavour.byFlavourId(arguments[i]);
            if (standard == PDFAFlavour.NO_FLAVOUR) {
                System.err.println("veraPDF knows no standard " + arguments[i]);
                System.exit(2);
            }
            results.add(judge(arguments[i + 1], standard));
        }
        JSON.writerWithDefaultPrettyPrinter().writeValue(Path.of(arguments[1]).toFile(), out);
    }

    private static ObjectNode judge(String name, PDFAFlavour standard) {
        ObjectNode result = JSON.createObjectNode().put("file", name).put("standard", standard.getId());
        ArrayNode broken = result.putArray("broken");
        try (InputStream content = Files.newInputStream(Path.of(name));
                PDFAParser parser = Foundries.defaultInstance().createParser(content, standard);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(standard, false)) {
            ValidationResult found = validator.validate(parser);
            result.put("compliant", found.isCompliant()).put("checks", found.getTotalAssertions());
            // One line per rule: the same rule may be broken at a thousand places.
            Map<String, String> rules = new TreeMap<>();
            for (TestAssertion one : found.getTestAssertions()) {
                if (one.getStatus() == TestAssertion.Status.FAILED) {
                    rules.putIfAbsent(one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber(),
                            one.getMessage() + " at " + one.getLocation().getContext());
                }
            }
            rules.forEach((rule, words) -> broken.addObject().put("rule", rule).put("words", words));
        } catch (Exception error) {
            // A file that cannot be read breaks every rule: it is never a pass.
            result.put("compliant", false).put("checks", 0);
            broken.addObject().put("rule", "unreadable").put("words", String.valueOf(error));
        }
        return result;
    }
}

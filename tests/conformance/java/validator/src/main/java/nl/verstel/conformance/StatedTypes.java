package nl.verstel.conformance;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/**
 * Takes a reference such as {@code Patient/12} at its word: the target is a Patient, whatever is in it.
 *
 * <p>Without this the engine checks the type of a reference's target only where it can fetch the target, and
 * lets a Group pass where the profile wants a Patient.
 */
final class StatedTypes implements IValidatorResourceFetcher {
    private static final Pattern REFERENCE =
            Pattern.compile("(?:https?://.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/.*)?");

    /** The policy that makes the engine ask for the type of every target. */
    static final class Policy extends FhirDefaultPolicyAdvisor {
        @Override
        public ReferenceValidationPolicy getReferencePolicy() {
            return ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS;
        }

        @Override
        public ReferenceValidationPolicy policyForReference(
                IResourceValidator validator,
                Object appContext,
                String path,
                String url,
                ReferenceDestinationType destination) {
            return getReferencePolicy();
        }
    }

    @Override
    public Element fetch(IResourceValidator validator, Object appContext, String url) throws IOException {
        Matcher reference = REFERENCE.matcher(url);
        if (!reference.matches() || !validator.getContext().getResourceNamesAsSet().contains(reference.group(1))) {
            return null;
        }
        String target = "{\"resourceType\": \"" + reference.group(1) + "\"}";
        return Manager.parseSingle(
                validator.getContext(),
                new ByteArrayInputStream(target.getBytes(StandardCharsets.UTF_8)),
                Manager.FhirFormat.JSON);
    }

    @Override
    public boolean resolveURL(
            IResourceValidator validator,
            Object appContext,
            String path,
            String url,
            String type,
            boolean canonical,
            List<CanonicalType> targets) {
        return true;
    }

    @Override
    public byte[] fetchRaw(IResourceValidator validator, String url) throws IOException {
        throw new FileNotFoundException(url);
    }

    @Override
    public IValidatorResourceFetcher setLocale(Locale locale) {
        return this;
    }

    @Override
    public CanonicalResource fetchCanonicalResource(IResourceValidator validator, Object appContext, String url) {
        return null;
    }

    @Override
    public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
        return false;
    }

    @Override
    public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(
            IResourceValidator validator, Object appContext, String url) {
        return Set.of();
    }
}

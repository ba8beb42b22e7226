package nl.verstel.conformance;

import ca.uhn.fhir.batch2.api.IJobMaintenanceService;
import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.batch2.jobs.imprt.BulkDataImportProvider;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import java.util.Arrays;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * A FHIR R4 server that strangers wrote (HAPI FHIR JPA), in memory, on 127.0.0.1 and a port that was free.
 *
 * <p>Prints {@code ready BASE} on standard output when it answers; ends when standard input ends, so that it never
 * outlives whoever started it. With the argument {@code bulk} it also has {@code $export} and {@code $import}.
 */
public final class Server {
    private static final int PASS_MILLIS = 250;

    private Server() {}

    public static void main(String[] arguments) throws Exception {
        org.eclipse.jetty.server.Server http = new org.eclipse.jetty.server.Server();
        ServerConnector connector = new ServerConnector(http);
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        http.addConnector(connector);
        connector.open();
        String base = "http://127.0.0.1:" + connector.getLocalPort() + "/fhir";

        AnnotationConfigApplicationContext beans = new AnnotationConfigApplicationContext(Configuration.class);
        ServletContextHandler servlets = new ServletContextHandler();
        RestfulServer server = restful(beans, base);
        if (Arrays.asList(arguments).contains("bulk")) {
            server.registerProvider(beans.getBean(BulkDataExportProvider.class));
            server.registerProvider(beans.getBean(BulkDataImportProvider.class));
            carryOutJobs(beans.getBean(IJobMaintenanceService.class));
        }
        servlets.addServlet(new ServletHolder(server), "/fhir/*");
        http.setHandler(servlets);
        http.start();
        System.out.println("ready " + base);
        System.out.flush();
        while (System.in.read() >= 0) {
            // Whatever is said is not listened to: only the end counts.
        }
        http.stop();
        beans.close();
        System.exit(0);
    }

    /** Takes jobs a step further, again and again: what HAPI's own scheduler, which is off here, does each minute. */
    private static void carryOutJobs(IJobMaintenanceService jobs) {
        Thread passes = new Thread(() -> {
            while (true) {
                try {
                    jobs.runMaintenancePass();
                    Thread.sleep(PASS_MILLIS);
                } catch (InterruptedException end) {
                    return;
                } catch (RuntimeException error) {
                    System.err.println("maintenance of jobs: " + error);
                }
            }
        });
        passes.setDaemon(true);
        passes.start();
    }

    private static RestfulServer restful(AnnotationConfigApplicationContext beans, String base) {
        FhirContext fhir = beans.getBean(FhirContext.class);
        IFhirSystemDao<?, ?> system = beans.getBean(IFhirSystemDao.class);
        RestfulServer server = new RestfulServer(fhir);
        server.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        server.registerProvider(beans.getBean(IJpaSystemProvider.class));
        server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                server,
                system,
                beans.getBean(JpaStorageSettings.class),
                beans.getBean(ISearchParamRegistry.class),
                beans.getBean(IValidationSupport.class)));
        server.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        server.setDefaultResponseEncoding(EncodingEnum.JSON);
        server.setServerAddressStrategy(new HardcodedServerAddressStrategy(base));
        return server;
    }
}

/* SPDX-License-Identifier: Apache-2.0
 * What Apache HttpClient 4.5 says of a leaf and a host: reads the cases of Oracle.java and writes its answers.
 * The text is HttpAsyncClient's, which API Gateway's errors show.
 *
 *   java -cp httpclient.jar:httpcore.jar:commons-logging.jar tests/jdk/ApacheOracle.java < cases.jsonl
 *   (Debian: libhttpclient-java, under /usr/share/java) */
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.security.cert.*;
import java.util.*;
import javax.net.ssl.SSLException;
import org.apache.http.conn.ssl.DefaultHostnameVerifier;
import org.apache.http.conn.util.PublicSuffixMatcherLoader;

public class ApacheOracle {
    public static void main(String[] args) throws Exception {
        DefaultHostnameVerifier verifier = new DefaultHostnameVerifier(PublicSuffixMatcherLoader.getDefault());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, "UTF-8");
        CertificateFactory cf = CertificateFactory.getInstance("X.509");
        for (String line; (line = in.readLine()) != null; ) {
            Map<String, Object> c = new Oracle.Json(line).object();
            String host = (String) c.get("host"), said = null;
            try {
                X509Certificate leaf = (X509Certificate) cf.generateCertificate(
                    new ByteArrayInputStream(Oracle.der((String) Oracle.list(c.get("chain")).get(0))));
                try {
                    verifier.verify(host, leaf);
                } catch (SSLException e) {
                    said = "Host name '" + host + "' does not match the certificate subject provided by the peer ("
                        + leaf.getSubjectX500Principal() + ")";
                }
            } catch (CertificateException e) {
                said = "Failed to parse server certificates";
            } catch (RuntimeException e) {
                said = String.valueOf(e.getMessage());
            }
            out.println("{\"id\":" + Oracle.Json.quote(c.get("id")) + ",\"ok\":" + (said == null) + ",\"error\":"
                + (said == null ? "null" : Oracle.Json.quote(said)) + ",\"detail\":null}");
        }
        out.flush();
    }
}

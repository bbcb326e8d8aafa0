// SPDX-License-Identifier: Apache-2.0
// Ask the JDK's own trust manager about certificate chains, one per line of standard input:
//   ID TAB chain.pem TAB store.pem TAB server|client
// and answer one line each: ID TAB OK, or ID TAB class: message of the outermost exception.
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

public class JdkTrust {
    static X509Certificate[] read(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            Collection<? extends java.security.cert.Certificate> all =
                CertificateFactory.getInstance("X.509").generateCertificates(in);
            return all.toArray(new X509Certificate[0]);
        }
    }

    static X509TrustManager manager(String path) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int n = 0;
        for (X509Certificate c : read(path)) store.setCertificateEntry("ca" + n++, c);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String[] f = line.split("\t");
            String answer = "OK";
            try {
                X509Certificate[] chain = read(f[1]);
                String auth = "ECDHE_" + (chain[0].getPublicKey().getAlgorithm().equals("RSA") ? "RSA" : "ECDSA");
                if (f[3].equals("server")) manager(f[2]).checkServerTrusted(chain, auth);
                else manager(f[2]).checkClientTrusted(chain, auth.substring(6));
            } catch (Exception e) {
                answer = e.getClass().getName() + ": " + e.getMessage();
            }
            System.out.println(f[0] + "\t" + answer.replace('\n', ' '));
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// A JDK's TLS client: one handshake, one GET, one line saying how it went.
import java.io.InputStream;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

public class JdkClient {
    static class All implements X509TrustManager {
        public void checkClientTrusted(X509Certificate[] chain, String type) {
        }

        public void checkServerTrusted(X509Certificate[] chain, String type) {
        }

        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    public static void main(String[] args) throws Exception {
        String host = args[0], sni = args[2];
        int port = Integer.parseInt(args[1]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, args[3].equals("all") ? new TrustManager[] {new All()} : null, null);
        try (SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(new Socket(host, port), host, port, true)) {
            s.setSoTimeout(15000);
            SSLParameters p = s.getSSLParameters();
            p.setServerNames(List.of(new SNIHostName(sni)));
            s.setSSLParameters(p);
            s.startHandshake();
            SSLSession session = s.getSession();
            s.getOutputStream().write(("GET / HTTP/1.0\r\nHost: " + sni + "\r\n\r\n").getBytes());
            InputStream in = s.getInputStream();
            in.read();
            System.out.println("ok " + session.getProtocol() + " " + session.getCipherSuite());
        } catch (Exception e) {
            System.out.println("error " + e.getClass().getName() + ": " + e.getMessage());
        }
    }
}

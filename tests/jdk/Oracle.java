/* SPDX-License-Identifier: Apache-2.0
 * What a real JDK says: reads cases as JSON lines {"id","chain":[pem],"trust":[pem],"host","time"} and
 * writes {"id","ok","error","detail"} for each, as `nlbsim validate --json -` does.
 *
 *   java tests/jdk/Oracle.java [jdk|apache] < cases.jsonl
 *
 * It asks the trust manager as a TLS 1.3 client's handshake does: certificates parsed one by one by
 * the CertificateFactory, PKIX with the given anchors and moment, the signature algorithms that the
 * client offers, and HTTPS host name checking (jdk) or none (apache: the name is no part of TLS). */
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.*;
import java.security.cert.*;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.*;
import javax.net.ssl.*;

public class Oracle {
    static final String[] OFFERED = { "Ed25519", "Ed448", "SHA256withECDSA", "SHA384withECDSA",
        "SHA512withECDSA", "RSASSA-PSS", "RSASSA-PSS", "RSASSA-PSS", "SHA256withRSA", "SHA384withRSA",
        "SHA512withRSA", "SHA256withDSA", "SHA224withECDSA", "SHA224withRSA", "SHA224withDSA",
        "SHA1withECDSA", "SHA1withRSA", "SHA1withDSA" };

    public static void main(String[] args) throws Exception {
        boolean names = args.length == 0 || !args[0].equals("apache");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, "UTF-8");
        for (String line; (line = in.readLine()) != null; ) {
            if (line.isBlank())
                continue;
            Map<String, Object> c = new Json(line).object();
            String[] said = judge(c, names);
            out.println("{\"id\":" + Json.quote(c.get("id")) + ",\"ok\":" + (said == null) + ",\"error\":"
                + (said == null ? "null" : Json.quote(said[0])) + ",\"detail\":"
                + (said == null ? "null" : Json.quote(said[1])) + "}");
            out.flush();
        }
    }

    static byte[] der(String pem) {
        int from = pem.indexOf("-----BEGIN"), to = pem.indexOf("-----END");
        return Base64.getMimeDecoder().decode(pem.substring(pem.indexOf('\n', from) + 1, to));
    }

    static String[] judge(Map<String, Object> c, boolean names) throws Exception {
        CertificateFactory cf = CertificateFactory.getInstance("X.509");
        try {
            cf.generateCertificate(null); /* empties its cache: constraint checks change certificates */
        } catch (CertificateException expected) {
        }
        Set<TrustAnchor> anchors = new HashSet<>();
        for (Object pem : list(c.get("trust"))) {
            try {
                anchors.add(new TrustAnchor((X509Certificate) cf.generateCertificate(
                    new ByteArrayInputStream(der((String) pem))), null));
            } catch (CertificateException unreadable) {
            }
        }
        List<X509Certificate> chain = new ArrayList<>();
        for (Object pem : list(c.get("chain"))) {
            if (der((String) pem).length == 0) /* the reader of TLS 1.3's message comes before the factory (measured) */
                return new String[] { "Invalid Certificate message: empty cert_data",
                    "javax.net.ssl.SSLProtocolException: Invalid Certificate message: empty cert_data" };
        }
        for (Object pem : list(c.get("chain"))) {
            try {
                chain.add((X509Certificate) cf.generateCertificate(
                    new ByteArrayInputStream(der((String) pem))));
            } catch (CertificateException e) {
                return new String[] { "Failed to parse server certificates", root(e) };
            } catch (RuntimeException e) {
                return new String[] { "RuntimeException while parsing: " + e, root(e) };
            }
        }
        try {
            X509ExtendedTrustManager tm = manager(anchors, when(c.get("time")));
            tm.checkServerTrusted(chain.toArray(new X509Certificate[0]), "UNKNOWN",
                new Engine((String) c.get("host"), names));
            return null;
        } catch (InvalidAlgorithmParameterException e) {
            return new String[] { "Unexpected error: " + e, root(e) };
        } catch (UnsupportedOperationException e) { /* JSSE's dispatcher of handshake messages catches it */
            return new String[] { "Unsupported handshake message: certificate", root(e) };
        } catch (CertificateException | RuntimeException e) {
            return new String[] { String.valueOf(e.getMessage()), root(e) };
        } catch (StackOverflowError e) {
            return new String[] { "StackOverflowError", root(e) };
        }
    }

    static X509ExtendedTrustManager manager(Set<TrustAnchor> anchors, Date at) throws Exception {
        PKIXBuilderParameters params = new PKIXBuilderParameters(anchors, null);
        params.setRevocationEnabled(false);
        params.setDate(at);
        TrustManagerFactory tmf = TrustManagerFactory.getInstance("PKIX");
        tmf.init(new CertPathTrustManagerParameters(params));
        return (X509ExtendedTrustManager) tmf.getTrustManagers()[0];
    }

    static String root(Throwable e) {
        while (e.getCause() != null)
            e = e.getCause();
        return e.getClass().getName() + ": " + e.getMessage();
    }

    static Date when(Object time) {
        if (time == null)
            return new Date();
        if (time instanceof Double)
            return new Date((long) ((Double) time * 1000));
        return Date.from(Instant.parse((String) time));
    }

    static List<?> list(Object o) {
        return o == null ? List.of() : (List<?>) o;
    }

    /* Just enough of an engine: a session in its handshake, and the parameters. */
    static class Engine extends SSLEngine {
        final String host;
        final boolean names;
        Engine(String host, boolean names) { this.host = host; this.names = names && host != null; }
        @Override public SSLSession getHandshakeSession() { return new Session(host); }
        @Override public SSLParameters getSSLParameters() {
            SSLParameters p = new SSLParameters();
            if (names)
                p.setEndpointIdentificationAlgorithm("HTTPS");
            return p;
        }
        @Override public String getPeerHost() { return host; }
        @Override public SSLEngineResult wrap(ByteBuffer[] a, int b, int c, ByteBuffer d) { return null; }
        @Override public SSLEngineResult unwrap(ByteBuffer a, ByteBuffer[] b, int c, int d) { return null; }
        @Override public Runnable getDelegatedTask() { return null; }
        @Override public void closeInbound() {}
        @Override public boolean isInboundDone() { return false; }
        @Override public void closeOutbound() {}
        @Override public boolean isOutboundDone() { return false; }
        @Override public String[] getSupportedCipherSuites() { return new String[0]; }
        @Override public String[] getEnabledCipherSuites() { return new String[0]; }
        @Override public void setEnabledCipherSuites(String[] s) {}
        @Override public String[] getSupportedProtocols() { return new String[0]; }
        @Override public String[] getEnabledProtocols() { return new String[0]; }
        @Override public void setEnabledProtocols(String[] s) {}
        @Override public SSLSession getSession() { return null; }
        @Override public void beginHandshake() {}
        @Override public SSLEngineResult.HandshakeStatus getHandshakeStatus() { return null; }
        @Override public void setUseClientMode(boolean m) {}
        @Override public boolean getUseClientMode() { return true; }
        @Override public void setNeedClientAuth(boolean m) {}
        @Override public boolean getNeedClientAuth() { return false; }
        @Override public void setWantClientAuth(boolean m) {}
        @Override public boolean getWantClientAuth() { return false; }
        @Override public void setEnableSessionCreation(boolean m) {}
        @Override public boolean getEnableSessionCreation() { return true; }
    }

    static class Session extends ExtendedSSLSession {
        final String host;
        Session(String host) { this.host = host; }
        @Override public String[] getLocalSupportedSignatureAlgorithms() { return OFFERED; }
        @Override public String[] getPeerSupportedSignatureAlgorithms() { return OFFERED; }
        @Override public List<byte[]> getStatusResponses() { return List.of(); }
        @Override public List<SNIServerName> getRequestedServerNames() { return List.of(); }
        @Override public String getPeerHost() { return host; }
        @Override public String getProtocol() { return "TLSv1.3"; }
        @Override public byte[] getId() { return new byte[0]; }
        @Override public SSLSessionContext getSessionContext() { return null; }
        @Override public long getCreationTime() { return 0; }
        @Override public long getLastAccessedTime() { return 0; }
        @Override public void invalidate() {}
        @Override public boolean isValid() { return true; }
        @Override public void putValue(String n, Object v) {}
        @Override public Object getValue(String n) { return null; }
        @Override public void removeValue(String n) {}
        @Override public String[] getValueNames() { return new String[0]; }
        @Override public Certificate[] getPeerCertificates() { return new Certificate[0]; }
        @Override public Certificate[] getLocalCertificates() { return new Certificate[0]; }
        @Override public java.security.Principal getPeerPrincipal() { return null; }
        @Override public java.security.Principal getLocalPrincipal() { return null; }
        @Override public String getCipherSuite() { return "TLS_AES_128_GCM_SHA256"; }
        @Override public int getPeerPort() { return 443; }
        @Override public int getPacketBufferSize() { return 16384; }
        @Override public int getApplicationBufferSize() { return 16384; }
    }

    /* The little of JSON that a case needs. */
    static class Json {
        final String s;
        int at;
        Json(String s) { this.s = s; }

        static String quote(Object o) {
            if (o == null)
                return "null";
            StringBuilder b = new StringBuilder("\"");
            for (char c : o.toString().toCharArray()) {
                if (c == '"' || c == '\\')
                    b.append('\\').append(c);
                else if (c < 32 || c == 127 || Character.isSurrogate(c))
                    b.append(String.format("\\u%04x", (int) c));
                else
                    b.append(c);
            }
            return b.append('"').toString();
        }

        char peek() {
            while (Character.isWhitespace(s.charAt(at)))
                at++;
            return s.charAt(at);
        }

        boolean eat(char c) {
            if (peek() != c)
                return false;
            at++;
            return true;
        }

        Map<String, Object> object() {
            Map<String, Object> m = new HashMap<>();
            eat('{');
            while (!eat('}')) {
                String k = string();
                eat(':');
                m.put(k, value());
                eat(',');
            }
            return m;
        }

        Object value() {
            char c = peek();
            if (c == '{')
                return object();
            if (c == '"')
                return string();
            if (c == '[') {
                List<Object> l = new ArrayList<>();
                at++;
                while (!eat(']')) {
                    l.add(value());
                    eat(',');
                }
                return l;
            }
            int from = at;
            while (at < s.length() && ",]} \t".indexOf(s.charAt(at)) < 0)
                at++;
            String word = s.substring(from, at);
            return word.equals("null") ? null : word.equals("true") ? (Object) true
                : word.equals("false") ? (Object) false : (Object) Double.valueOf(word);
        }

        String string() {
            StringBuilder b = new StringBuilder();
            eat('"');
            for (char c; (c = s.charAt(at++)) != '"'; ) {
                if (c != '\\') {
                    b.append(c);
                    continue;
                }
                c = s.charAt(at++);
                if (c == 'u') {
                    b.append((char) Integer.parseInt(s.substring(at, at + 4), 16));
                    at += 4;
                } else {
                    b.append(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b'
                        : c == 'f' ? '\f' : c);
                }
            }
            return b.toString();
        }
    }
}

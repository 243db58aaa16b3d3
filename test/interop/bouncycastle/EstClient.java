import java.io.IOException;
import java.io.StringWriter;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Security;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLSession;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.est.CACertsResponse;
import org.bouncycastle.est.CSRAttributesResponse;
import org.bouncycastle.est.CSRRequestResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.ChannelBindingProvider;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.BCSSLSocket;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.encoders.Hex;
import org.bouncycastle.util.io.pem.PemObject;

/**
 * A command line around BouncyCastle's EST client, which does all of EST by itself: what it sends and what it makes of the answer is
 * BouncyCastle's. Standard output is PEM, and lines that begin with a word of their own: tls, pending, attributes, attribute, error.
 * The exit code is 0 for an answer, 3 for one that is still pending, 1 for an error.
 */
public final class EstClient {
  private static final String USAGE =
      "cacerts|csrattrs|enroll|reenroll|rekey|serverkeygen --server HOST:PORT --trust PEM [--label LABEL]"
          + " [--tls TLSv1.2|TLSv1.3] [--jsse jdk|bc] [--user ID --secret SECRET]"
          + " [--client-cert PEM --client-key PEM] [--subject NAME] [--key PEM] [--key-type ec|rsa]"
          + " [--pop yes] [--wait SECONDS]";
  private static final Set<String> COMMANDS =
      Set.of("cacerts", "csrattrs", "enroll", "reenroll", "rekey", "serverkeygen");
  private static final char[] STORE_PASSWORD = "in memory only".toCharArray();

  private final Map<String, String> options;
  private final ESTService service;

  private EstClient(Map<String, String> options) throws Exception {
    this.options = options;
    this.service = connect();
  }

  public static void main(String[] words) {
    System.exit(run(words));
  }

  private static int run(String[] words) {
    Security.addProvider(new BouncyCastleProvider());
    Security.addProvider(new BouncyCastleJsseProvider());
    try {
      if (words.length % 2 == 0 || !COMMANDS.contains(words[0])) throw new IllegalArgumentException(USAGE);
      Map<String, String> options = new HashMap<>();
      for (int i = 1; i < words.length; i += 2) options.put(words[i], words[i + 1]);
      return new EstClient(options).perform(words[0]);
    } catch (Exception error) {
      int status = 0;
      String body = "";
      if (error instanceof ESTException est) {
        status = est.getStatusCode();
        body = bodyOf(est);
      }
      System.out.printf("error status %d body %s message %s%n", status, quote(body), quote(error.toString()));
      error.printStackTrace();
      return 1;
    }
  }

  private int perform(String command) throws Exception {
    switch (command) {
      case "cacerts":
        return printCaCertificates();
      case "csrattrs":
        return printAttributes();
      case "serverkeygen":
        return print(generateAtServer());
      default:
        return print(enroll(!command.equals("enroll"), command.equals("reenroll")));
    }
  }

  // The connection

  private ESTService connect() throws Exception {
    Set<TrustAnchor> anchors = new HashSet<>();
    for (X509Certificate certificate : readCertificates(required("--trust"))) {
      anchors.add(new TrustAnchor(certificate, null));
    }
    JsseESTServiceBuilder builder =
        new JsseESTServiceBuilder(required("--server"), JcaJceUtils.getCertPathTrustManager(anchors, null));
    builder.withTimeout(20_000);
    if (options.containsKey("--label")) builder.withLabel(options.get("--label"));
    if (options.containsKey("--tls")) builder.withTLSVersion(options.get("--tls"));
    if (bouncyCastleJsse()) {
      builder.withProvider(BouncyCastleJsseProvider.PROVIDER_NAME);
      builder.withChannelBindingProvider(new TlsUnique());
    }
    if (options.containsKey("--client-cert")) builder.withKeyManagers(clientKeys().getKeyManagers());
    return builder.build();
  }

  private KeyManagerFactory clientKeys() throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    X509Certificate[] chain = readCertificates(required("--client-cert")).toArray(new X509Certificate[0]);
    store.setKeyEntry("client", readPrivateKey(required("--client-key")), STORE_PASSWORD, chain);
    // Each JSSE with its own: in TLS 1.3 BouncyCastle's asks for "EC/secp256r1", which Java's key manager does not have.
    return bouncyCastleJsse()
        ? JcaJceUtils.createKeyManagerFactory(
            "PKIX", BouncyCastleJsseProvider.PROVIDER_NAME, store, STORE_PASSWORD)
        : JcaJceUtils.createKeyManagerFactory(null, null, store, STORE_PASSWORD);
  }

  private boolean bouncyCastleJsse() {
    return options.getOrDefault("--jsse", "jdk").equals("bc");
  }

  /** BouncyCastle leaves this piece to its caller: Java's own JSSE does not show what tls-unique needs, BouncyCastle's does. */
  private static final class TlsUnique implements ChannelBindingProvider {
    @Override
    public boolean canAccessChannelBinding(Socket socket) {
      return getChannelBinding(socket, "tls-unique") != null;
    }

    @Override
    public byte[] getChannelBinding(Socket socket, String binding) {
      return ((BCSSLSocket) socket).getConnection().getChannelBinding(binding);
    }
  }

  /** HTTP Basic, or null: the client certificate speaks for itself. */
  private ESTAuth secret() throws Exception {
    if (!options.containsKey("--user")) return null;
    return new JcaHttpAuthBuilder(options.get("--user"), required("--secret").toCharArray()).build();
  }

  // The operations

  private int printCaCertificates() throws Exception {
    CACertsResponse response = service.getCACerts();
    printSession(response.getSession());
    for (X509CertificateHolder certificate : ESTService.storeToArray(response.getCertificateStore())) {
      printPem(certificate);
    }
    return 0;
  }

  /** `attributes none`, or `attributes HEX` with the DER and then a line for each. */
  private int printAttributes() throws Exception {
    CSRRequestResponse response = service.getCSRAttributes();
    printSession(response.getSession());
    if (!response.hasAttributesResponse()) {
      System.out.println("attributes none");
      return 0;
    }
    CSRAttributesResponse attributes = response.getAttributesResponse();
    System.out.println("attributes " + Hex.toHexString(attributes.getEncoded()));
    Set<String> oids = new TreeSet<>();
    for (ASN1ObjectIdentifier oid : attributes.getRequirements()) {
      oids.add(oid.getId() + (attributes.isAttribute(oid) ? " with values" : ""));
    }
    oids.forEach(oid -> System.out.println("attribute " + oid));
    return 0;
  }

  private EnrollmentResponse enroll(boolean again, boolean sameKey) throws Exception {
    X509Certificate current = again ? readCertificates(required("--client-cert")).get(0) : null;
    KeyPair key =
        sameKey
            ? new KeyPair(current.getPublicKey(), readPrivateKey(required("--client-key")))
            : keyPair(Path.of(required("--key")));
    PKCS10CertificationRequestBuilder request = again ? renewal(current, key) : firstRequest(key);
    if (options.containsKey("--pop")) return service.simpleEnrollPoP(again, request, signer(key), secret());
    return service.simpleEnroll(again, request.build(signer(key)), secret());
  }

  /** The key of the request only signs it; the server answers with another. */
  private EnrollmentResponse generateAtServer() throws Exception {
    KeyPair key = keyPair(Path.of(required("--key")));
    PKCS10CertificationRequestBuilder request = firstRequest(key);
    if (options.containsKey("--pop")) {
      return service.simpleEnrollPopWithServersideCreation(request, signer(key), secret());
    }
    return service.simpleEnrollWithServersideCreation(request.build(signer(key)), secret());
  }

  private int print(EnrollmentResponse first) throws Exception {
    long deadline = System.currentTimeMillis() + 1000 * Long.parseLong(options.getOrDefault("--wait", "0"));
    EnrollmentResponse response = first;
    while (!response.isCompleted()) {
      System.out.println("pending until " + Instant.ofEpochMilli(response.getNotBefore()));
      if (response.getNotBefore() > deadline) return 3;
      Thread.sleep(Math.max(0, response.getNotBefore() - System.currentTimeMillis()));
      response = service.simpleEnroll(response);
    }
    printSession(response.getSession());
    PrivateKeyInfo key = response.getPrivateKeyInfo();
    if (key != null) printPem(new PemObject("PRIVATE KEY", key.getEncoded()));
    for (X509CertificateHolder certificate : ESTService.storeToArray(response.getStore())) printPem(certificate);
    return 0;
  }

  // Requests and keys

  private PKCS10CertificationRequestBuilder firstRequest(KeyPair key) {
    return new JcaPKCS10CertificationRequestBuilder(new X500Name(required("--subject")), key.getPublic());
  }

  /** RFC 7030 section 4.2.2: Subject and SubjectAltName are those of the current certificate. */
  private static PKCS10CertificationRequestBuilder renewal(X509Certificate current, KeyPair key) throws Exception {
    X509CertificateHolder holder = new JcaX509CertificateHolder(current);
    PKCS10CertificationRequestBuilder request =
        new JcaPKCS10CertificationRequestBuilder(holder.getSubject(), key.getPublic());
    Extension names = holder.getExtension(Extension.subjectAlternativeName);
    if (names != null) {
      request.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, new Extensions(names));
    }
    return request;
  }

  private static ContentSigner signer(KeyPair key) throws Exception {
    boolean rsa = key.getPrivate().getAlgorithm().equals("RSA");
    return new JcaContentSignerBuilder(rsa ? "SHA256withRSA" : "SHA256withECDSA").build(key.getPrivate());
  }

  /** The key pair of this file, or a new one that is written there. */
  private KeyPair keyPair(Path file) throws Exception {
    if (Files.exists(file)) {
      PublicKey publicKey = null;
      for (Object found : readPem(file)) {
        if (found instanceof SubjectPublicKeyInfo info) {
          publicKey = factory(info.getAlgorithm().getAlgorithm())
              .generatePublic(new X509EncodedKeySpec(info.getEncoded()));
        }
      }
      return new KeyPair(publicKey, readPrivateKey(file.toString()));
    }
    boolean rsa = options.getOrDefault("--key-type", "ec").equals("rsa");
    KeyPairGenerator generator = KeyPairGenerator.getInstance(rsa ? "RSA" : "EC");
    generator.initialize(rsa ? 2048 : 256);
    KeyPair made = generator.generateKeyPair();
    String pem =
        pem(new PemObject("PRIVATE KEY", made.getPrivate().getEncoded()))
            + pem(new PemObject("PUBLIC KEY", made.getPublic().getEncoded()));
    Files.writeString(file, pem);
    return made;
  }

  /** Named by Java's own names: its key manager finds no key that calls itself ECDSA, as BouncyCastle's do. */
  private static KeyFactory factory(ASN1ObjectIdentifier algorithm) throws Exception {
    return KeyFactory.getInstance(algorithm.equals(PKCSObjectIdentifiers.rsaEncryption) ? "RSA" : "EC");
  }

  // Files and output

  private String required(String option) {
    String value = options.get(option);
    if (value == null) throw new IllegalArgumentException(option + " is missing: " + USAGE);
    return value;
  }

  private static List<Object> readPem(Path file) throws IOException {
    List<Object> list = new ArrayList<>();
    try (PEMParser parser = new PEMParser(Files.newBufferedReader(file))) {
      for (Object next = parser.readObject(); next != null; next = parser.readObject()) list.add(next);
    }
    return list;
  }

  private static List<X509Certificate> readCertificates(String file) throws Exception {
    List<X509Certificate> list = new ArrayList<>();
    for (Object found : readPem(Path.of(file))) {
      if (found instanceof X509CertificateHolder holder) {
        list.add(new JcaX509CertificateConverter().getCertificate(holder));
      }
    }
    return list;
  }

  private static PrivateKey readPrivateKey(String file) throws Exception {
    for (Object found : readPem(Path.of(file))) {
      if (found instanceof PrivateKeyInfo info) {
        return factory(info.getPrivateKeyAlgorithm().getAlgorithm())
            .generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
      }
    }
    throw new IllegalArgumentException("no PKCS #8 private key in " + file);
  }

  private static void printSession(Object session) {
    SSLSession tls = (SSLSession) session;
    System.out.println("tls " + tls.getProtocol() + " " + tls.getCipherSuite());
  }

  private static void printPem(Object object) throws IOException {
    System.out.print(pem(object));
  }

  private static String pem(Object object) throws IOException {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(object);
    }
    return text.toString();
  }

  private static String bodyOf(ESTException error) {
    try {
      return new String(error.getBody().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      return "";
    }
  }

  /** A JSON string. */
  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') quoted.append('\\').append(c);
      else if (c < ' ') quoted.append(String.format("\\u%04x", (int) c));
      else quoted.append(c);
    }
    return quoted.append('"').toString();
  }
}

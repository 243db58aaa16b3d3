import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.jscep.client.Client;
import org.jscep.client.EnrollmentResponse;
import org.jscep.client.verification.PreProvisionedCertificateVerifier;

/**
 * A command line around jscep, which does all of SCEP by itself: what it asks, sends and makes of the answer is jscep's. Standard output is PEM,
 * and lines that begin with a word of their own: capabilities, pending, failure, crl. The exit code is 0 for an answer, 1 for an error.
 */
public final class JscepClient {
  private static final String USAGE =
      "enroll|getcert|getcrl --url URL --ca PEM [--subject NAME] [--key FILE] [--secret SECRET]"
          + " [--identity PEM --identity-key FILE] [--wait SECONDS]";

  private final Map<String, String> options = new HashMap<>();
  private final Client client;

  private JscepClient(String[] words) throws Exception {
    for (int i = 1; i + 1 < words.length; i += 2) options.put(words[i], words[i + 1]);
    client =
        new Client(
            URI.create(required("--url")).toURL(),
            new PreProvisionedCertificateVerifier(readCertificate("--ca")));
  }

  public static void main(String[] words) throws Exception {
    if (words.length == 0) throw new IllegalArgumentException(USAGE);
    JscepClient driver = new JscepClient(words);
    switch (words[0]) {
      case "enroll" -> driver.enroll();
      case "getcert" -> driver.print(driver.getCertificate());
      case "getcrl" -> driver.getRevocationList();
      default -> throw new IllegalArgumentException(USAGE);
    }
  }

  /** With a certificate of its own making, or with the one that is given: a renewal. */
  private void enroll() throws Exception {
    System.out.println("capabilities " + client.getCaCapabilities());
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    KeyPair pair = generator.generateKeyPair();
    Files.write(Path.of(required("--key")), pair.getPrivate().getEncoded());
    boolean renews = options.containsKey("--identity");
    X509Certificate identity = renews ? readCertificate("--identity") : selfSigned(pair);
    PrivateKey key = renews ? readKey("--identity-key") : pair.getPrivate();
    PKCS10CertificationRequestBuilder request =
        new JcaPKCS10CertificationRequestBuilder(subject(), pair.getPublic());
    if (options.containsKey("--secret")) {
      request.addAttribute(
          PKCSObjectIdentifiers.pkcs_9_at_challengePassword, new DERPrintableString(required("--secret")));
    }
    EnrollmentResponse response = client.enrol(identity, key, request.build(signer(pair.getPrivate())));
    long deadline = System.currentTimeMillis() + 1000 * Long.parseLong(options.getOrDefault("--wait", "0"));
    while (response.isPending() && System.currentTimeMillis() < deadline) {
      System.out.println("pending " + response.getTransactionId());
      Thread.sleep(500);
      X509Certificate own = identity;
      response = client.poll(own, key, own.getSubjectX500Principal(), response.getTransactionId());
    }
    if (response.isFailure()) System.out.println("failure " + response.getFailInfo());
    if (response.isSuccess()) print(response.getCertStore());
  }

  private CertStore getCertificate() throws Exception {
    X509Certificate own = readCertificate("--identity");
    return client.getCertificate(own, readKey("--identity-key"), own.getSerialNumber());
  }

  private void getRevocationList() throws Exception {
    X509Certificate own = readCertificate("--identity");
    System.out.println(
        "crl "
            + client
                .getRevocationList(
                    own, readKey("--identity-key"), own.getIssuerX500Principal(), own.getSerialNumber())
                .getIssuerX500Principal());
  }

  private X509Certificate selfSigned(KeyPair pair) throws Exception {
    Date begin = Date.from(Instant.now().minusSeconds(3600));
    Date end = Date.from(Instant.now().plusSeconds(86_400));
    return new JcaX509CertificateConverter()
        .getCertificate(
            new JcaX509v3CertificateBuilder(subject(), BigInteger.ONE, begin, end, subject(), pair.getPublic())
                .build(signer(pair.getPrivate())));
  }

  private static ContentSigner signer(PrivateKey key) throws Exception {
    return new JcaContentSignerBuilder("SHA256withRSA").build(key);
  }

  private X500Name subject() {
    return new X500Name(required("--subject"));
  }

  private String required(String option) {
    String value = options.get(option);
    if (value == null) throw new IllegalArgumentException(option + " is missing: " + USAGE);
    return value;
  }

  private X509Certificate readCertificate(String option) throws Exception {
    try (var file = Files.newInputStream(Path.of(required(option)))) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(file);
    }
  }

  private PrivateKey readKey(String option) throws Exception {
    byte[] der = Files.readAllBytes(Path.of(required(option)));
    return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
  }

  private void print(CertStore store) throws Exception {
    for (Certificate certificate : store.getCertificates(null)) {
      String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded());
      System.out.println("-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----");
    }
  }
}

import type { Configuration, EnrollListener } from '#config';
import { SallyportError } from '#errors';

/** The listener that was named, else the first that serves the template over SCEP. Throws 'usage'. */
export function chooseScepListener(
  { listeners, file }: Configuration,
  template: string,
  name: string | undefined,
): EnrollListener {
  const serving = listeners
    .filter((listener) => listener.class === 'enroll')
    .filter(({ protocols }) => protocols.scep?.templates.includes(template) === true);
  const found = name === undefined ? serving[0] : serving.find((listener) => listener.name === name);
  if (found !== undefined) return found;
  const [first] = serving;
  throw new SallyportError(
    'usage',
    first === undefined
      ? `no listener of ${file} serves template ${template} over SCEP: list it under listeners.<name>.protocols.scep.templates`
      : `no listener ${JSON.stringify(name)} serves template ${template} over SCEP; ${serving.map((one) => one.name).join(', ')} ${serving.length === 1 ? 'does' : 'do'}`,
  );
}

/**
 * Where devices reach the template (RFC 8894 section 4.1 leaves the path to the CA). `given` is how they see the listener, behind a proxy say; without a path of its own it
 * gets ours. Throws 'usage' where neither says an address that a device can use.
 */
export function scepUrl(listener: EnrollListener, template: string, given: string | undefined): string {
  if (given !== undefined) return givenUrl(given, template);
  const { name, address, port, tls } = listener;
  if (['0.0.0.0', '::'].includes(address)) {
    throw new SallyportError(
      'usage',
      `listener ${name} listens on every address of this machine: say with --url which one devices ask, such as --url http://scep.example.com:${port}`,
    );
  }
  if (port === 0) {
    throw new SallyportError(
      'usage',
      `the system chooses the port of listener ${name} at each start: say with --url where devices ask`,
    );
  }
  const host = address.includes(':') ? `[${address}]` : address;
  return `${tls === null ? 'http' : 'https'}://${host}:${port}/scep/${template}`;
}

function givenUrl(text: string, template: string): string {
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    // Clients append the query, some of them with no look at what is there.
    /^https?:\/\/[\w.:[\]-]+(?:\/[\w.~/%-]*)?$/.test(text);
  if (!isPlain) {
    throw new SallyportError('usage', '--url is an http or https URL without user, query and fragment');
  }
  return url.pathname === '/' ? `${url.origin}/scep/${template}` : `${url.origin}${url.pathname}`;
}

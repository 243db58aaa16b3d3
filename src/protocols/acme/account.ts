import { isSallyportError } from '#errors';
import { contactOf } from './contact.ts';
import { accountOf, type Message, ownerOf, payloadOf } from './message.ts';
import { AcmeError, malformed, notHere } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { StoredAccount } from './store.ts';
import { accountUrl, ordersUrl, orderUrl } from './urls.ts';

const ordersAtOnce = 50;

/** RFC 8555 section 7.1.2. `made`: what stands in it in the answer that made it alone. */
export function accountReply(
  account: StoredAccount,
  exchange: Exchange,
  status: number,
  made: object = {},
): Reply {
  return {
    status,
    headers: { Location: accountUrl(exchange, account.id) },
    body: {
      status: account.status,
      contact: account.contact,
      orders: ordersUrl(exchange, account.id),
      ...made,
    },
  };
}

/** RFC 8555 sections 7.3.2 and 7.3.6, and the list of orders (section 7.1.2.1). */
export async function account(message: Message, exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const own = accountOf(message);
  const [id, list] = exchange.parts;
  if (id !== own.id) {
    throw new AcmeError('unauthorized', `account ${own.id} asks for account ${String(id).slice(0, 64)}`, {
      told: 'this is not your account',
    });
  }
  if (list === 'orders') {
    if (message.payload !== null) throw malformed('the list of orders takes POST-as-GET');
    return orders(own, exchange, ports);
  }
  if (list !== undefined) throw notHere();
  if (message.payload === null) return accountReply(own, exchange, 200);
  const payload = payloadOf(message);
  // RFC 8555 section 7.3.2: "The server MUST ignore any updates to […] the "status" field (except as allowed by Section 7.3.6)".
  const status = payload['status'] === 'deactivated' ? 'deactivated' : 'valid';
  const contact = payload['contact'] === undefined ? own.contact : contactOf(payload['contact']);
  const isSame = status === own.status && JSON.stringify(contact) === JSON.stringify(own.contact);
  if (isSame) return accountReply(own, exchange, 200);
  const entry = ports.enrollment.entryOf(exchange.admission, { ...ownerOf(own), status, contact });
  try {
    await ports.store.updateAccount({ id: own.id, contact, status, entry });
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
    throw new AcmeError('unauthorized', error.message, {
      status: 401,
      told: 'this account is no longer valid',
    });
  }
  return accountReply({ ...own, contact, status }, exchange, 200);
}

async function orders(own: StoredAccount, exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const after = new URLSearchParams(exchange.query).get('after');
  if (after !== null && (await ports.store.order(after))?.account !== own.id) throw notHere();
  const query = { account: own.id, after, now: ports.now(), limit: ordersAtOnce + 1 };
  const ids = await ports.store.ordersOf(query);
  const shown = ids.slice(0, ordersAtOnce);
  const next = `${ordersUrl(exchange, own.id)}?after=${shown.at(-1)}`;
  return {
    status: 200,
    body: { orders: shown.map((id) => orderUrl(exchange, id)) },
    ...(ids.length > ordersAtOnce ? { links: [{ url: next, rel: 'next' }] } : {}),
  };
}

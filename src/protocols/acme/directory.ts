import { named } from '#enrollment';
import { notHere } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';

/** Templates that a listener serves. */
export function servedTemplates(
  { admission }: Pick<Exchange, 'admission'>,
  { authority }: Pick<AcmePorts, 'authority'>,
) {
  const { references } = authority();
  const served = named(references.listeners, admission.source.listener)?.protocols.acme;
  if (served === undefined) throw notHere();
  return { ...served, references };
}

/** Whether an account needs no external account key for some template that is offered at this directory. */
export function isWithoutKey(
  { template, admission }: Pick<Exchange, 'template' | 'admission'>,
  ports: Pick<AcmePorts, 'authority'>,
): boolean {
  const { templates, references } = servedTemplates({ admission }, ports);
  const offered = template === null ? templates : [template];
  return offered.some((name) => named(references.templates, name)?.acme?.externalAccountKey === 'optional');
}

/** RFC 8555 section 7.1.1, with profiles (draft-ietf-acme-profiles section 3) and renewal information (RFC 9773 section 3). */
export function directory(exchange: Exchange, ports: AcmePorts): Reply {
  const { base, template } = exchange;
  const { templates, references } = servedTemplates(exchange, ports);
  if (template !== null && !templates.includes(template)) throw notHere();
  const at = (resource: string) => `${base}/acme/${template === null ? '' : `${template}/`}${resource}`;
  const offered = template === null ? templates : [template];
  const caaIdentities = new Set(offered.map((name) => named(references.templates, name)?.acme?.caa ?? null));
  caaIdentities.delete(null);
  return {
    status: 200,
    body: {
      newNonce: at('new-nonce'),
      newAccount: at('new-account'),
      newOrder: at('new-order'),
      revokeCert: at('revoke-cert'),
      keyChange: at('key-change'),
      renewalInfo: at('renewal-info'),
      meta: {
        externalAccountRequired: !isWithoutKey(exchange, ports),
        profiles: Object.fromEntries(offered.map((name) => [name, `template ${name} of this authority`])),
        ...(caaIdentities.size === 0 ? {} : { caaIdentities: [...caaIdentities] }),
      },
    },
  };
}

import type { AcmePorts } from '#acme';
import type { Configuration } from '#config';
import { type Authority, named } from '#enrollment';
import { type ChallengeType, validate } from '#validation';

/** Looks for proofs by what is in force: a template's networks, and the resolvers and ports of the file. */
export function validator(
  authority: () => Authority,
  configuration: () => Configuration,
): AcmePorts['validate'] {
  return async ({ template: name, type, value, wildcard, method, token }, thumbprint) => {
    const acme = named(authority().references.templates, name)?.acme;
    const offered = acme?.challenges.some((each) => each === method) === true;
    if (acme === undefined || !offered || (type !== 'dns' && type !== 'ip')) {
      const detail = 'this challenge is not offered any more';
      return { valid: false, problem: 'unauthorized', detail, transient: false, addresses: [] };
    }
    const { timeoutSeconds, ...settings } = configuration().validation;
    const challenge = {
      type: method as ChallengeType,
      identifier: { type, value },
      wildcard,
      token,
      // RFC 8555 section 8.1.
      keyAuthorization: `${token}.${thumbprint}`,
    };
    const { networks, caa } = acme;
    return validate(challenge, { ...settings, networks, caa, timeoutMilliseconds: timeoutSeconds * 1000 });
  };
}

import type { AcmeStore } from '#acme';
import type { AdminStore } from '#admin';
import type { LogReader, LogStore } from '#audit';
import type { EnrollmentStore } from '#enrollment';
import { isSallyportError } from '#errors';
import type { RevokedPage } from './operations/crl.ts';
import type { ArgumentOf, OperationName, ResultOf } from './operations.ts';
import { sweepingRates } from './rate-sweep.ts';

/** So many take the serving thread a few milliseconds to write into a CRL. */
const revokedAtOnce = 2000;

/** How an adapter is asked for an operation. Rejects with a SallyportError. */
export type Perform = <Name extends OperationName>(
  name: Name,
  argument: ArgumentOf<Name>,
) => Promise<ResultOf<Name>>;

/** `admit`: an adapter whose process is the only writer may count sources in its own memory. */
export function enrollmentStore(
  perform: Perform,
  admit: EnrollmentStore['admit'] = (query) => perform('admit', query),
): EnrollmentStore {
  const sweep = sweepingRates(perform);
  return {
    admit(query) {
      sweep(query.now);
      return admit(query);
    },
    observe: (query) => perform('observe', query),
    record: (entry, naming = []) => perform('record', { entry, naming }),
    hold: (record) => perform('hold', record),
    polled: (query) => perform('polled', query),
    async reserve(intent) {
      try {
        await perform('reserve', intent);
        return 'reserved';
      } catch (error) {
        if (isSallyportError(error, 'conflict')) return 'conflict';
        throw error;
      }
    },
    close: (record) => perform('close', record),
    withdraw: (act) => perform('revokeCertificate', act),
    certificate: (sha256) => perform('certificate', { sha256 }),
    delivered: (sha256) => perform('delivered', { sha256 }),
    giveNonce: (act) => perform('giveNonce', act),
    forgetEvidenceNonces: (now) => perform('forgetEvidenceNonces', { now }),
    spendVerifierRate: (spending) => perform('spendVerifierRate', spending),
    forgetWaitingEvidence: (before) => perform('forgetWaitingEvidence', { before }),
    devicesBy: (keys) => perform('devicesBy', { keys }),
    deviceOfEndorsementKey: (endorsementKey) => perform('deviceOfEndorsementKey', { endorsementKey }),
    giveActivation: (act) => perform('giveActivation', act),
    takeActivation: (query) => perform('takeActivation', query),
    activationKeys: (query) => perform('activationKeys', query),
    forgetActivations: (before) => perform('forgetActivations', { before }),
  };
}

export function acmeStore(perform: Perform): AcmeStore {
  return {
    useNonce: (nonce, expiresAt) => perform('useNonce', { nonce, expiresAt }),
    externalAccountKey: (id) => perform('externalAccountKey', { id }),
    account: (id) => perform('account', { id }),
    accountByKey: (thumbprint) => perform('accountByKey', { thumbprint }),
    isAccountKey: (spki) => perform('isAccountKey', { spki }),
    createAccount: (act) => perform('createAccount', act),
    updateAccount: (act) => perform('updateAccount', act),
    changeAccountKey: (act) => perform('changeAccountKey', act),
    createOrder: (act) => perform('createOrder', act),
    order: (id) => perform('order', { id }),
    ordersOf: (query) => perform('ordersOf', query),
    authorization: (id) => perform('authorization', { id }),
    respond: (act) => perform('respond', act),
    attested: (act) => perform('attested', act),
    takeDue: (act) => perform('takeDue', act),
    dueAuthorizations: (now, limit) => perform('dueAuthorizations', { now, limit }),
    validated: (act) => perform('validated', act),
    deactivateAuthorization: (act) => perform('deactivateAuthorization', act),
    isAuthorized: (query) => perform('isAuthorized', query),
    failOrder: (act) => perform('failOrder', act),
    predecessor: (query) => perform('predecessor', query),
    heldRequest: (order) => perform('heldRequest', { order }),
    certificate: (query) => perform('orderedCertificate', query),
    revoke: (act) => perform('revokeCertificate', act),
    forgetNonces: (now) => perform('forgetNonces', { now }),
    forgetOrders: (act) => perform('forgetOrders', act),
  };
}

export function adminStore(perform: Perform): AdminStore {
  return {
    importDevices: (act) => perform('importDevices', act),
    compareDevices: (devices) => perform('compareDevices', { devices }),
    devices: (filter) => perform('devices', filter),
    attestationKeys: (filter) => perform('attestationKeys', filter),
    device: (id) => perform('device', { id }),
    deviceBySerialNumber: (serialNumber) => perform('deviceBySerialNumber', { serialNumber }),
    setDeviceState: (act) => perform('setDeviceState', act),
    eraseDevice: (act) => perform('eraseDevice', act),
    approveDevice: (act) => perform('approveDevice', act),
    createSecret: (act) => perform('createSecret', act),
    createUnboundSecret: (act) => perform('createUnboundSecret', act),
    secrets: (filter) => perform('secrets', filter),
    secret: (id) => perform('secret', { id }),
    secretsOfMachine: (filter) => perform('secretsOfMachine', filter),
    voidSecret: (act) => perform('voidSecret', act),
    createExternalAccountKey: (act) => perform('createExternalAccountKey', act),
    externalAccountKeys: (filter) => perform('externalAccountKeys', filter),
    externalAccountKeysOfMachine: (filter) => perform('externalAccountKeysOfMachine', filter),
    externalAccountKey: (id) => perform('externalAccountKeyInfo', { id }),
    voidExternalAccountKey: (act) => perform('voidExternalAccountKey', act),
    accounts: (filter) => perform('accounts', filter),
    revokeAccount: (act) => perform('revokeAccount', act),
    requests: (filter) => perform('requests', filter),
    request: (id) => perform('request', { id }),
    approveRequest: (act) => perform('approveRequest', act),
    denyRequest: (act) => perform('denyRequest', act),
    endRequest: (act) => perform('endRequest', act),
    forgetPolled: (before) => perform('forgetPolled', { before }),
    certificates: (filter) => perform('certificates', filter),
    certificateInfo: (id) => perform('certificateInfo', { id }),
    revokeCertificate: (act) => perform('revokeCertificate', act),
    operatorByTokenHash: (hash) => perform('operatorByTokenHash', { hash }),
    createOperator: (act) => perform('createOperator', act),
    createMachine: (act) => perform('createMachine', act),
    machines: (filter) => perform('machines', filter),
    rotateMachine: (act) => perform('rotateMachine', act),
    pinCertificate: (act) => perform('pinCertificate', act),
    revokeMachine: (act) => perform('revokeMachine', act),
    recogniseMachine: (credentials) => perform('recogniseMachine', credentials),
    revoked: (issuer, since, limit) => revokedInParts(perform, issuer, since, limit),
    revokedCount: (issuer, since) => perform('revokedCount', { issuer, since }),
    crl: (issuer) => perform('crl', { issuer }),
    crlInfo: (issuer) => perform('crlInfo', { issuer }),
    saveCrl: (act) => perform('saveCrl', act),
    raCertificates: (issuer, now) => perform('raCertificates', { issuer, now }),
    saveRaCertificate: (act) => perform('saveRaCertificate', act),
    listenerCertificates: (holder, now) => perform('listenerCertificates', { ...holder, now }),
    saveListenerCertificates: (acts) => perform('saveListenerCertificates', acts),
    saveReferences: (digest, body) => perform('saveReferences', { digest, body }),
    savePolicies: (digest, text) => perform('savePolicies', { digest, text }),
    references: (digest) => perform('references', { digest }),
    policies: (digest) => perform('policies', { digest }),
    expiredIntents: (now, limit) => perform('expiredIntents', { now, limit }),
    takeLease: (lease) => perform('takeLease', lease),
    holdNode: (act) => perform('holdNode', act),
    releaseNode: (held) => perform('releaseNode', held),
    abandonIntent: (act) => perform('abandonIntent', act),
  };
}

/** What belongs on an issuer's CRL, in parts of so many. */
export async function* revokedInParts(
  perform: Perform,
  issuer: string,
  since: number,
  limit: number = revokedAtOnce,
): AsyncGenerator<RevokedPage['rows']> {
  let from: RevokedPage['next'] = { notAfter: since, place: -1 };
  while (from !== null) {
    const page: RevokedPage = await perform('revokedCertificates', { issuer, from, limit });
    yield page.rows;
    from = page.next;
  }
  yield await perform('revokedUnseen', { issuer });
}

export function logStore(perform: Perform): LogStore {
  return {
    async head() {
      const { size, hashes } = await perform('readHead', null);
      return { size, range: hashes };
    },
    ...logReader(perform),
    async earlier() {
      const logs = await perform('earlierLogs', null);
      return logs.map(({ number, origin, size, hashes, note }) => ({
        number,
        origin,
        head: { size, range: hashes },
        note,
        ...logReader(perform, number),
      }));
    },
    note: () => perform('note', null),
    saveNote: (size, note) => perform('saveNote', { size, note }),
    sinkCursor: (sink) => perform('sinkCursor', { sink }),
    saveSinkCursor: (sink, index) => perform('saveSinkCursor', { sink, index }),
  };
}

/** `log`: the number of one that ended. */
function logReader(perform: Perform, log?: number): LogReader {
  return {
    entries: (from, to) => perform('entries', { log, from, to }),
    blobs: (from, to) => perform('blobs', { log, from, to }),
    hashes: { read: (level, from, to) => perform('hashes', { log, level, from, to }) },
    find: (id) => perform('find', { log, id }),
  };
}

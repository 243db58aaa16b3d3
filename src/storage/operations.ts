import {
  account,
  accountByKey,
  changeAccountKey,
  createAccount,
  externalAccountKey,
  isAccountKey,
  updateAccount,
  useNonce,
} from './operations/acme-accounts.ts';
import {
  attested,
  authorization,
  deactivateAuthorization,
  dueAuthorizations,
  isAuthorized,
  respond,
  takeDue,
  validated,
} from './operations/acme-authorizations.ts';
import { orderedCertificate, predecessor } from './operations/acme-certificates.ts';
import { heldRequest } from './operations/acme-issuance.ts';
import {
  createOrder,
  failOrder,
  forgetNonces,
  forgetOrders,
  order,
  ordersOf,
} from './operations/acme-orders.ts';
import {
  accountRecords,
  acmeCounts,
  authorizationRecords,
  externalAccountKeyRecords,
} from './operations/acme-records.ts';
import {
  activationKeys,
  deviceOfEndorsementKey,
  forgetActivations,
  giveActivation,
  takeActivation,
} from './operations/activations.ts';
import { attestationKeys } from './operations/attestation-keys.ts';
import { observeAttester } from './operations/attesters.ts';
import {
  admit,
  forgetIdleRates,
  saveSourceRates,
  sourceRates,
  spendVerifierRate,
} from './operations/rate-limits.ts';
import { approveDevice } from './operations/approvals.ts';
import { policies, references, savePolicies, saveReferences } from './operations/bodies.ts';
import {
  certificate,
  certificateInfo,
  certificates,
  delivered,
  nextCertificates,
  revokeCertificate,
} from './operations/certificates.ts';
import { note, saveNote, saveSinkCursor, sinkCursor } from './operations/checkpoint.ts';
import { close } from './operations/close.ts';
import {
  crl,
  crlInfo,
  lostCertificates,
  nextAbandoned,
  revokedCertificates,
  revokedCount,
  revokedUnseen,
  saveCrl,
} from './operations/crl.ts';
import { compareDevices, importDevices } from './operations/device-import.ts';
import { setDeviceState } from './operations/device-state.ts';
import { device, deviceBySerialNumber, devices } from './operations/devices.ts';
import { eraseDevice } from './operations/erase-device.ts';
import { approvalRecords, secretCount, secretRecords } from './operations/grants.ts';
import { forgetEvidenceNonces, forgetWaitingEvidence, giveNonce } from './operations/evidence.ts';
import { hold } from './operations/hold.ts';
import { abandonIntent, expiredIntents } from './operations/intents.ts';
import { takeLease } from './operations/leases.ts';
import { blobs, earlierLogs, entries, find, hashes, readHead, record } from './operations/log.ts';
import {
  createMachine,
  machines,
  pinCertificate,
  recogniseMachine,
  revokeMachine,
  rotateMachine,
} from './operations/machines.ts';
import {
  accounts,
  createExternalAccountKey,
  externalAccountKeyInfo,
  externalAccountKeys,
  externalAccountKeysOfMachine,
  revokeAccount,
  voidExternalAccountKey,
} from './operations/external-accounts.ts';
import { listenerCertificates, saveListenerCertificates } from './operations/listener-certificates.ts';
import { holdNode, releaseNode } from './operations/nodes.ts';
import { devicesBy, observe } from './operations/observe.ts';
import { createOperator, operatorByTokenHash } from './operations/operators.ts';
import { forgetPolled, polled } from './operations/polled-requests.ts';
import { ownCertificates } from './operations/own-certificates.ts';
import { raCertificates, saveRaCertificate } from './operations/ra-certificates.ts';
import { approveRequest, denyRequest, endRequest, request, requests } from './operations/requests.ts';
import { reserve } from './operations/reserve.ts';
import {
  createSecret,
  createUnboundSecret,
  secret,
  secrets,
  secretsOfMachine,
  voidSecret,
} from './operations/secrets.ts';
import type { Operation } from './operation.ts';

/** When an operation is done: once read, once written (synced soon after, or forgotten by a crash), or once synced. */
export type Durability = 'read' | 'lazy' | 'durable';

export interface Kind<Argument, Result> {
  readonly durability: Durability;
  /** What it deletes must not be found in the files either. */
  readonly erases?: true;
  readonly perform: (argument: Argument) => Operation<Result>;
}

/** Every operation that an adapter performs, by its name. */
export const operations = {
  admit: lazy(admit),
  observe: read(observe),
  record: durable(record),
  hold: durable(hold),
  polled: read(polled),
  forgetPolled: durable(forgetPolled),
  reserve: durable(reserve),
  close: durable(close),
  certificate: read(certificate),
  delivered: durable(delivered),
  giveNonce: durable(giveNonce),
  forgetEvidenceNonces: lazy(forgetEvidenceNonces),
  forgetWaitingEvidence: lazy(forgetWaitingEvidence),
  spendVerifierRate: lazy(spendVerifierRate),
  devicesBy: read(devicesBy),
  deviceOfEndorsementKey: read(deviceOfEndorsementKey),
  giveActivation: durable(giveActivation),
  takeActivation: durable(takeActivation),
  activationKeys: read(activationKeys),
  forgetActivations: lazy(forgetActivations),

  useNonce: lazy(useNonce),
  externalAccountKey: read(externalAccountKey),
  account: read(account),
  accountByKey: read(accountByKey),
  isAccountKey: read(isAccountKey),
  createAccount: durable(createAccount),
  updateAccount: durable(updateAccount),
  changeAccountKey: durable(changeAccountKey),
  createOrder: durable(createOrder),
  order: read(order),
  ordersOf: read(ordersOf),
  authorization: read(authorization),
  respond: durable(respond),
  attested: durable(attested),
  takeDue: durable(takeDue),
  dueAuthorizations: read(dueAuthorizations),
  validated: durable(validated),
  deactivateAuthorization: durable(deactivateAuthorization),
  isAuthorized: read(isAuthorized),
  failOrder: durable(failOrder),
  predecessor: read(predecessor),
  heldRequest: read(heldRequest),
  orderedCertificate: read(orderedCertificate),
  forgetNonces: lazy(forgetNonces),
  forgetOrders: durable(forgetOrders),

  importDevices: durable(importDevices),
  compareDevices: read(compareDevices),
  devices: read(devices),
  attestationKeys: read(attestationKeys),
  device: read(device),
  deviceBySerialNumber: read(deviceBySerialNumber),
  setDeviceState: durable(setDeviceState),
  eraseDevice: erasing(eraseDevice),
  approveDevice: durable(approveDevice),
  createSecret: durable(createSecret),
  createUnboundSecret: durable(createUnboundSecret),
  secrets: read(secrets),
  secret: read(secret),
  secretsOfMachine: read(secretsOfMachine),
  voidSecret: durable(voidSecret),
  createExternalAccountKey: durable(createExternalAccountKey),
  externalAccountKeys: read(externalAccountKeys),
  externalAccountKeysOfMachine: read(externalAccountKeysOfMachine),
  externalAccountKeyInfo: read(externalAccountKeyInfo),
  voidExternalAccountKey: durable(voidExternalAccountKey),
  accounts: read(accounts),
  revokeAccount: durable(revokeAccount),
  requests: read(requests),
  request: read(request),
  approveRequest: durable(approveRequest),
  denyRequest: durable(denyRequest),
  endRequest: durable(endRequest),
  certificates: read(certificates),
  certificateInfo: read(certificateInfo),
  revokeCertificate: durable(revokeCertificate),
  operatorByTokenHash: read(operatorByTokenHash),
  createOperator: durable(createOperator),
  createMachine: durable(createMachine),
  machines: read(machines),
  rotateMachine: durable(rotateMachine),
  pinCertificate: durable(pinCertificate),
  revokeMachine: durable(revokeMachine),
  recogniseMachine: read(recogniseMachine),
  revokedCertificates: read(revokedCertificates),
  revokedUnseen: read(revokedUnseen),
  revokedCount: read(revokedCount),
  crl: read(crl),
  crlInfo: read(crlInfo),
  saveCrl: durable(saveCrl),
  raCertificates: read(raCertificates),
  saveRaCertificate: durable(saveRaCertificate),
  listenerCertificates: read(listenerCertificates),
  saveListenerCertificates: durable(saveListenerCertificates),
  saveReferences: durable(saveReferences),
  savePolicies: durable(savePolicies),
  references: read(references),
  policies: read(policies),
  expiredIntents: read(expiredIntents),
  abandonIntent: durable(abandonIntent),
  takeLease: durable(takeLease),
  holdNode: durable(holdNode),
  releaseNode: durable(releaseNode),
  forgetIdleRates: lazy(forgetIdleRates),
  sourceRates: read(sourceRates),
  saveSourceRates: lazy(saveSourceRates),

  readHead: read(readHead),
  earlierLogs: read(earlierLogs),
  entries: read(entries),
  blobs: read(blobs),
  hashes: read(hashes),
  find: read(find),
  note: read(note),
  saveNote: durable(saveNote),
  sinkCursor: read(sinkCursor),
  saveSinkCursor: lazy(saveSinkCursor),
  nextCertificates: read(nextCertificates),
  nextAbandoned: read(nextAbandoned),
  secretRecords: read(secretRecords),
  secretCount: read(secretCount),
  approvalRecords: read(approvalRecords),
  externalAccountKeyRecords: read(externalAccountKeyRecords),
  accountRecords: read(accountRecords),
  authorizationRecords: read(authorizationRecords),
  acmeCounts: read(acmeCounts),
  lostCertificates: read(lostCertificates),
  attester: read(observeAttester),
  ownCertificates: read(ownCertificates),
};

export type Operations = typeof operations;
export type OperationName = keyof Operations;
export type ArgumentOf<Name extends OperationName> =
  Operations[Name] extends Kind<infer Argument, unknown> ? Argument : never;
export type ResultOf<Name extends OperationName> =
  Operations[Name] extends Kind<never, infer Result> ? Result : never;

function read<Argument, Result>(perform: Kind<Argument, Result>['perform']): Kind<Argument, Result> {
  return { durability: 'read', perform };
}

function lazy<Argument, Result>(perform: Kind<Argument, Result>['perform']): Kind<Argument, Result> {
  return { durability: 'lazy', perform };
}

function durable<Argument, Result>(perform: Kind<Argument, Result>['perform']): Kind<Argument, Result> {
  return { durability: 'durable', perform };
}

function erasing<Argument, Result>(perform: Kind<Argument, Result>['perform']): Kind<Argument, Result> {
  return { durability: 'durable', perform, erases: true };
}

import type { EvidenceFormat, EvidenceIdentities, ReferenceValues } from '#evidence';

export const deviceStates = ['expected', 'active', 'suspended', 'retired'] as const;
export type DeviceState = (typeof deviceStates)[number];

/** A device of the inventory. `id` is stable, unique, 1 to 64 characters of [A-Za-z0-9._:-]. */
export interface Device {
  readonly id: string;
  readonly serialNumber: string | null;
  /** Name of a device class of the configuration. */
  readonly deviceClass: string;
  readonly owner: string | null;
  readonly state: DeviceState;
  /**
   * Other names by which templates build subjects: dnsName, macAddress, udid, assetTag, … Values are single strings. `ekSha256` is that of its TPM: SHA-256 of
   * the endorsement key's SubjectPublicKeyInfo in lower-case hexadecimal, which no two devices have.
   */
  readonly identifiers: Readonly<Record<string, string>>;
}

/** An identity from elsewhere that may vouch for devices of the inventory, and how it names them. Part of the references. */
export interface IdentitySettings {
  /** Of the manufacturer (IEEE 802.1AR), of a management system, or of a registration authority (RFC 7030 section 3.3.2). */
  readonly kind: 'idevid' | 'mdm' | 'ra';
  /** The column of the inventory that it names. */
  readonly device: 'id' | 'serialNumber';
  /** Where the name stands, the first that is there. */
  readonly from: readonly ('hardwareModuleName' | 'serialNumber' | 'commonName')[];
  /** OIDs of the hwType that a HardwareModuleName must have; null: any. */
  readonly hardwareTypes: readonly string[] | null;
  /** Device classes that it may vouch for. */
  readonly classes: readonly string[];
  readonly templates: readonly string[];
}

/** What a kind of device must prove, and what compensates where it can prove nothing. Part of the references. */
export interface DeviceClass {
  readonly name: string;
  /** `required`: without verified evidence every request is refused. */
  readonly attestation: 'required' | 'none';
  /** What evidence counts, by its format; of another format none does. Absent: none at all, as before there was any. */
  readonly evidence?: Readonly<Partial<Record<EvidenceFormat, EvidenceRequirement>>>;
  /** `always`: each enrollment waits for an operator, or is approved beforehand. */
  readonly approval: 'policy' | 'always';
  /** Templates that devices of this class may have; null: any. */
  readonly templates: readonly string[] | null;
  /** Names of the listeners that devices of this class may use; null: any. */
  readonly listeners: readonly string[] | null;
  /** Upper bound on the life of a certificate; null: the template's. */
  readonly maximumValiditySeconds: number | null;
}

/** What evidence of one format must say of devices of one class. */
export interface EvidenceRequirement extends Omit<ReferenceValues, 'anchors'> {
  /** Names of the sets of roots that are believed. */
  readonly roots: readonly string[];
  /** Where the evidence names the device, and what of the inventory that must be: `id`, `serialNumber` or the name of one of its identifiers. */
  readonly device: {
    readonly from: keyof EvidenceIdentities;
    readonly is: string;
    /** OIDs within which that name is one device: of a hardware module its types, of a permanent identifier who assigns it. null: any. */
    readonly types: readonly string[] | null;
  };
  /** How many devices may get certificates by one key that attests; null, or absent as before it was asked: any number. */
  readonly devicesPerAttestationKey?: number | null;
}

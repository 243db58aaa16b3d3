export {
  deviceStates,
  type Device,
  type DeviceClass,
  type DeviceState,
  type EvidenceRequirement,
  type IdentitySettings,
} from './device.ts';
export { parseDeviceList, type DeviceList, type DeviceListFormat } from './device-list.ts';
export type { RowProblem } from './row-problem.ts';

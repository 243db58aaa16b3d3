import type { Device } from '#inventory';
import type { StoredDevice } from '../store.ts';
import { isoTime } from './time.ts';

export interface DeviceView extends Device {
  readonly createdAt: string;
  readonly updatedAt: string;
}

export function deviceView(device: StoredDevice): DeviceView {
  const { id, serialNumber, deviceClass, owner, state, identifiers } = device;
  const times = { createdAt: isoTime(device.createdAt), updatedAt: isoTime(device.updatedAt) };
  return { id, serialNumber, deviceClass, owner, state, identifiers, ...times };
}

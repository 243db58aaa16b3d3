/** Of an object that the TPM keeps (TPM 2.0 Part 2 section 7.2: TPM_HT_PERSISTENT). */
export function isHandle(text: string): boolean {
  return /^0x81[0-9a-f]{6}$/i.test(text);
}

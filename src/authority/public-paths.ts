/** Paths of the public listener: in the CDP and AIA of every certificate, so they never change. */
export const crlPath = (issuer: string) => `/crl/${issuer}.crl`;
export const caCertificatePath = (issuer: string) => `/ca/${issuer}.cer`;
export const checkpointPath = '/log/checkpoint';

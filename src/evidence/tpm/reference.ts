export interface TpmReference {}

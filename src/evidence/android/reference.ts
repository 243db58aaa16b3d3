export interface AndroidReference {}

export interface AppleReference {}

/** All but the last three digits: a payer knows their own telephone by them. @param phoneNumber E.164. */
export function hiddenNumber(phoneNumber: string): string {
  return phoneNumber.replace(/\d(?=\d{3})/g, '•');
}

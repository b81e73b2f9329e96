/** No name has so long a part, so it is refused without a name server being asked, which may take as long as it likes. */
export const NO_SUCH_HOST = `${'x'.repeat(64)}.invalid`;

/**
 * Rounds of all loops of a thread together that one launch may take: Mesa's CPU driver ends every loop of a shader after
 * 65,535 and says nothing.
 */
export const MAX_ROUNDS = 60_000;

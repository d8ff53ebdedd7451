/** What the service tells its pages in advance, in attributes of the root element (`facts.html`). */

const { registration, passwordMinLength, verifiedEmail, returnTo } = document.documentElement.dataset;

export const isRegistrationOpen = registration === 'open';

export const PASSWORD_MIN_LENGTH = Number(passwordMinLength);

/** Whether calls of a user are refused until the address is verified. */
export const isVerificationRequired = verifiedEmail === 'required';

/** Where the query of this document's address asked to go on to, as far as that is trusted. */
export const RETURN_TO = returnTo;

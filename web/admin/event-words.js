/** What happened, in words, by the kinds of events that the service records. */

/** @type {Record<string, string>} */
export const EVENTS = {
  registered: 'Account created',
  signed_in: 'Signed in',
  signed_out: 'Signed out',
  session_revoked: 'Session ended',
  sessions_revoked: 'All sessions ended',
  refresh_token_reused: 'Refresh token used twice',
  replayed_elsewhere: 'Refresh forgiven from elsewhere',
  rotation_recovered: 'Rotation recovered',
  password_changed: 'Password changed',
  password_reset: 'Password set anew',
  password_reset_asked: 'Link for a new password asked for',
  email_verified: 'Address verified',
  email_change_asked: 'Another address asked for',
  email_changed: 'Address changed',
  mail_given_up: 'Mail given up',
  profile_changed: 'Name changed',
  role_changed: 'Role changed',
  user_disabled: 'Account disabled',
  user_enabled: 'Account enabled',
  user_deleted: 'Account deleted',
  users_imported: 'Accounts imported',
};

/** What somebody should look at. */
const ALARMS = ['refresh_token_reused', 'replayed_elsewhere', 'mail_given_up'];

/** @param {string} kind */
export function ofKind(kind) {
  return EVENTS[kind] ?? kind;
}

/** @param {string} kind */
export function isAlarm(kind) {
  return ALARMS.includes(kind);
}

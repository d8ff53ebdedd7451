mod change_password;
mod login;
mod logout;
mod me;
mod refresh_token;
mod register;
mod sessions;

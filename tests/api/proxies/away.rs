//! What happens while a part of it is away.

behind_each_proxy! {
    /// Without Symbolon nobody gets in, whatever they bring; open paths are open all the same.
    fn without_symbolon_nobody_passes(site) {
        let ada = site.client.register("ada@example.com");
        site.get("/private").bearer(&ada.access).send().expect(200);
        let passed = site.app.requests();
        drop(site.server.take());
        for path in ["/private", "/staff/", "/auth/me"] {
            for method in ["GET", "HEAD", "POST"] {
                let call = site.client.call(method, path).bearer(&ada.access);
                let answer = call.header("x-auth-user", &ada.user).send();
                assert!(answer.status >= 500, "{method} {path}: {}", answer.status);
            }
        }
        assert_eq!(site.app.requests(), passed);
        site.get("/public/page").send().expect(200);
    }

    /// What is neither a yes nor a no is no yes.
    fn while_symbolon_cannot_tell_nobody_passes(site) {
        let ada = site.client.register("ada@example.com");
        site.server().clock.set_broken(true);
        let answer = site.get("/private").bearer(&ada.access).send();
        assert!(answer.status >= 500, "{}", answer.status);
        site.server().clock.set_broken(false);
        assert_eq!(site.app.requests(), 0);
        site.get("/private").bearer(&ada.access).send().expect(200);
    }
}

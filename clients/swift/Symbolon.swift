// A session with Symbolon, for iOS 16, macOS 13 and later (Swift 5.9). Copy this file into your app.
//
// `docs/clients.md` says which rules it keeps and why.

import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// All that has to outlive the app. The key is there while a refresh has no answer.
public struct Kept: Codable, Equatable, Sendable {
    public var refreshToken: String
    public var idempotencyKey: String?

    public init(refreshToken: String, idempotencyKey: String? = nil) {
        self.refreshToken = refreshToken
        self.idempotencyKey = idempotencyKey
    }
}

/// Where that is kept. It is never called twice at once.
public protocol TokenStorage: Sendable {
    /// What was saved last; nil where that was nothing.
    func load() throws -> Kept?

    /// Replaces all of it in one step, or removes it for nil. Once this returns, a crash loses nothing.
    func save(_ kept: Kept?) throws
}

public enum SymbolonError: Error, Equatable, Sendable {
    /// The session has ended, for the reason that the code names: sign in again.
    case sessionOver(code: String)
    /// The service cannot be asked just now. The session goes on; try again later.
    case notNow(String)
    /// The service refuses a call, such as a sign-in with a wrong password.
    case refused(status: Int, code: String)
}

/// Takes a redirect for the answer: what is sent to the service goes nowhere else.
private final class NoRedirects: NSObject, URLSessionTaskDelegate {
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

/// One session, kept going. An app has one of these, in one process.
public actor SymbolonSession {
    private struct Access {
        let token: String
        let dueAt: Duration
        let expiresAt: Duration
    }

    private struct Tokens: Decodable {
        let accessToken: String
        let refreshToken: String
        let expiresIn: Double
    }

    private struct Problem: Decodable {
        let code: String?
    }

    private struct Answer {
        let status: Int
        let body: Data
        let retryAfter: Duration

        /// What names a failure; empty where that is not one of the service's.
        var code: String { (try? JSONDecoder().decode(Problem.self, from: body))?.code ?? "" }
    }

    /// The answers to a refresh that end a session. Nothing else does.
    private static let over: Set<String> = [
        "REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_REUSED", "REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_MISSING",
        "SESSION_REVOKED",
    ]

    private let base: URL
    private let storage: any TokenStorage
    /// For the app's calls.
    private let http: URLSession
    /// Asks the service itself.
    private let plain: URLSession
    private let now: @Sendable () -> Duration
    private let isOurs: @Sendable (URL) -> Bool
    private let whenOver: @Sendable (String) -> Void

    private var access: Access?
    /// How many sessions have begun: what tells one from the next, while an answer is awaited.
    private var begun = 0
    private var refreshing: Task<String, any Error>?
    private var failures = 0
    private var notBefore: Duration?

    /// - Parameters:
    ///   - base: where the service is, such as `https://auth.example.com`
    ///   - now: a clock that nobody sets and that goes on while the device sleeps
    ///   - isOurs: which URLs get the access token: by itself those of the service
    ///   - whenOver: is told once that the session has ended, and why
    public init(
        base: URL,
        storage: any TokenStorage,
        now: (@Sendable () -> Duration)? = nil,
        isOurs: (@Sendable (URL) -> Bool)? = nil,
        whenOver: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let start = ContinuousClock.now
        self.base = base
        self.storage = storage
        self.now = now ?? { ContinuousClock.now - start }
        self.isOurs = isOurs ?? { $0.scheme == base.scheme && $0.host == base.host && $0.port == base.port }
        self.whenOver = whenOver
        // By body transport: no cookie is kept or sent.
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.timeoutIntervalForRequest = 30
        self.http = URLSession(configuration: configuration)
        // That much without a byte. This much in all, which would be too short for what apps load.
        configuration.timeoutIntervalForResource = 30
        self.plain = URLSession(configuration: configuration)
    }

    public func register(email: String, password: String, name: String? = nil) async throws {
        var body = ["email": email, "password": password]
        body["name"] = name
        try await signIn("auth/register", body)
    }

    /// Signs in. Log out before, where somebody else was signed in: their session does not end by this.
    public func login(email: String, password: String) async throws {
        try await signIn("auth/login", ["email": email, "password": password])
    }

    /// A call of the app's: with the access token, which is refreshed when it is due; and repeated once where it was
    /// refused because of that token (RFC 6750, 3.1).
    public func data(for request: URLRequest) async throws -> (Data, HTTPURLResponse) {
        guard let url = request.url, isOurs(url), let token = try await accessToken() else {
            return try await send(request)
        }
        let (data, response) = try await send(request, bearer: token)
        let challenge = response.value(forHTTPHeaderField: "WWW-Authenticate") ?? ""
        guard response.statusCode == 401, challenge.contains("error=\"invalid_token\""),
            let better = try await renewed(refused: token)
        else {
            return (data, response)
        }
        return try await send(request, bearer: better)
    }

    /// Ends the session. Where this throws `notNow`, it goes on: try again later.
    public func logout() async throws {
        let session = begun
        do {
            // Both tokens are needed, and an access token that is still good.
            let pending = try storage.load()?.idempotencyKey != nil
            guard var token = try await pending ? renewed(refused: access?.token) : accessToken() else { return }
            var answer = try await askToEnd(session, token)
            if answer.status == 401 {
                guard let better = try await renewed(refused: token) else { return }
                token = better
                answer = try await askToEnd(session, token)
            }
            if answer.status != 204 { throw refusal(answer) }
            // Whoever has signed in meanwhile stays so.
            if begun == session { try forget() }
        } catch SymbolonError.sessionOver {
            // Somebody else was quicker.
        }
    }

    /// A good access token, refreshed where that is due; nil where nobody is signed in.
    public func accessToken() async throws -> String? {
        if let access, now() < access.dueAt { return access.token }
        return try await renewed(refused: nil)
    }

    /// An access token other than `refused`. Whoever comes while a refresh is under way waits for that one.
    private func renewed(refused: String?) async throws -> String? {
        let held = access.flatMap { $0.token == refused ? nil : $0 }
        if let held, now() < held.dueAt { return held.token }
        if refreshing == nil, try storage.load() == nil { return nil }
        // A task of its own, which goes on where a caller is cancelled.
        let task = refreshing ?? Task { try await refresh() }
        refreshing = task
        do {
            return try await task.value
        } catch SymbolonError.notNow(let why) {
            // It was only due, so it will do for some seconds more.
            if let held, now() < held.expiresAt { return held.token }
            throw SymbolonError.notNow(why)
        }
    }

    /// Refreshes. The key is saved before it is sent, and the new token before anything of the answer is used: so
    /// whenever the app is killed, what is saved is good for asking again.
    private func refresh() async throws -> String {
        defer { refreshing = nil }
        guard let kept = try storage.load() else { throw SymbolonError.notNow("nobody is signed in") }
        if let notBefore, now() < notBefore {
            throw SymbolonError.notNow("it is too early to ask again")
        }
        let answer: Answer
        do {
            let key = kept.idempotencyKey ?? UUID().uuidString
            if kept.idempotencyKey == nil {
                try storage.save(Kept(refreshToken: kept.refreshToken, idempotencyKey: key))
            }
            answer = try await post(
                "auth/refresh-token", ["refreshToken": kept.refreshToken], headers: ["Idempotency-Key": key])
        } catch {
            throw later("no answer: \(error)")
        }
        if try storage.load()?.refreshToken != kept.refreshToken {
            throw SymbolonError.notNow("another session has begun")
        }
        if answer.status == 401, Self.over.contains(answer.code) {
            try forget()
            whenOver(answer.code)
            throw SymbolonError.sessionOver(code: answer.code)
        }
        if answer.status != 200 {
            throw later("status \(answer.status)", retryAfter: answer.retryAfter)
        }
        do {
            return try keep(answer)
        } catch {
            throw later("nothing was kept of the answer: \(error)")
        }
    }

    private func keep(_ answer: Answer) throws -> String {
        let received = now()
        let tokens = try JSONDecoder().decode(Tokens.self, from: answer.body)
        try storage.save(Kept(refreshToken: tokens.refreshToken))
        // Half a minute to a minute ahead, so that those who started together do not come back together.
        let ahead = min(60, tokens.expiresIn / 2) * Double.random(in: 0.5...1)
        access = Access(
            token: tokens.accessToken,
            dueAt: received + .seconds(tokens.expiresIn - ahead),
            expiresAt: received + .seconds(tokens.expiresIn))
        failures = 0
        notBefore = nil
        return tokens.accessToken
    }

    /// Waits from a second to half a minute, longer each time, and never shorter than the service asks for.
    private func later(_ why: String, retryAfter: Duration = .zero) -> SymbolonError {
        let most = min(30, Double(1 << min(failures, 5)))
        failures += 1
        notBefore = now() + retryAfter + .seconds(most * Double.random(in: 0.5...1))
        return .notNow(why)
    }

    private func signIn(_ path: String, _ body: [String: String]) async throws {
        var body = body
        body["refreshTransport"] = "body"
        let answer: Answer
        do {
            answer = try await post(path, body)
        } catch {
            throw SymbolonError.notNow("no answer: \(error)")
        }
        guard (200...201).contains(answer.status) else { throw refusal(answer) }
        _ = try keep(answer)
        begun += 1
    }

    /// What a call fails with that was answered, but not done.
    private func refusal(_ answer: Answer) -> SymbolonError {
        switch answer.status {
        case 429, 500...599: .notNow("status \(answer.status)")
        default: .refused(status: answer.status, code: answer.code)
        }
    }

    private func askToEnd(_ session: Int, _ token: String) async throws -> Answer {
        guard begun == session else { throw SymbolonError.notNow("another session has begun") }
        let body = ["refreshToken": try storage.load()?.refreshToken ?? ""]
        do {
            return try await post("auth/logout", body, headers: ["Authorization": "Bearer \(token)"])
        } catch {
            throw SymbolonError.notNow("no answer: \(error)")
        }
    }

    private func forget() throws {
        access = nil
        try storage.save(nil)
    }

    private func post(_ path: String, _ body: [String: String], headers: [String: String] = [:]) async throws -> Answer {
        var request = URLRequest(url: base.appendingPathComponent(path))
        request.httpMethod = "POST"
        request.httpBody = try JSONEncoder().encode(body)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        for (name, value) in headers {
            request.setValue(value, forHTTPHeaderField: name)
        }
        let (data, answer) = try await plain.data(for: request, delegate: NoRedirects())
        guard let response = answer as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        let retryAfter = response.value(forHTTPHeaderField: "Retry-After").flatMap { Int($0) } ?? 0
        return Answer(status: response.statusCode, body: data, retryAfter: .seconds(retryAfter))
    }

    private func send(_ request: URLRequest, bearer token: String? = nil) async throws -> (Data, HTTPURLResponse) {
        var request = request
        if let token {
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        let (data, response) = try await http.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        return (data, response)
    }
}

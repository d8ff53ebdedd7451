// An app on a phone that has no screen: it does what its standard input says, line by line. A test
// drives it (tests/api/clients).

import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A file in place of the Keychain.
struct FileStorage: TokenStorage {
    let file: URL

    func load() throws -> Kept? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try JSONDecoder().decode(Kept.self, from: Data(contentsOf: file))
    }

    func save(_ kept: Kept?) throws {
        if let kept {
            try JSONEncoder().encode(kept).write(to: file, options: .atomic)
        } else {
            try FileManager.default.removeItem(at: file)
        }
    }
}

/// A clock that goes on when it is told to.
final class Time: @unchecked Sendable {
    private let lock = NSLock()
    private var waited = Duration.zero

    func wait(_ seconds: Int) {
        lock.withLock { waited += .seconds(seconds) }
    }

    func now() -> Duration {
        lock.withLock { waited }
    }
}

func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

/// What came of something that may fail, as one word and a code.
@Sendable func outcome(_ act: @Sendable () async throws -> String) async -> String {
    do {
        return try await act()
    } catch SymbolonError.sessionOver(let code) {
        return "over \(code)"
    } catch SymbolonError.notNow {
        return "later"
    } catch SymbolonError.refused(_, let code) {
        return "refused \(code)"
    } catch {
        return "failed \(error)"
    }
}

let base = URL(string: CommandLine.arguments[1])!
let time = Time()
let session = SymbolonSession(
    base: base,
    storage: FileStorage(file: URL(fileURLWithPath: CommandLine.arguments[2])),
    now: { time.now() },
    whenOver: { say("told \($0)") }
)

@Sendable func call() async -> String {
    await outcome {
        let request = URLRequest(url: base.appendingPathComponent("auth/me"))
        return "\(try await session.data(for: request).1.statusCode)"
    }
}

/// So many at once.
@Sendable func calls(_ count: Int) async -> String {
    await withTaskGroup(of: String.self) { group in
        for _ in 0..<count { group.addTask { await call() } }
        var said = Set<String>()
        for await status in group { said.insert(status) }
        return said.sorted().joined(separator: ", ")
    }
}

/// As somebody who does not know the password.
@Sendable func guess() async -> String {
    await outcome {
        var request = URLRequest(url: base.appendingPathComponent("auth/change-password"))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(#"{"currentPassword":"a guess of mine","newPassword":"another guess"}"#.utf8)
        return "\(try await session.data(for: request).1.statusCode)"
    }
}

say("ready")
while let line = readLine() {
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    switch words[0] {
    case "register":
        say(await outcome { try await session.register(email: words[1], password: words[2]); return "done" })
    case "login":
        say(await outcome { try await session.login(email: words[1], password: words[2]); return "done" })
    case "logout":
        say(await outcome { try await session.logout(); return "done" })
    case "calls":
        say(await calls(Int(words[1])!))
    case "guess":
        say(await guess())
    case "wait":
        // So many seconds pass, as far as the app can tell.
        time.wait(Int(words[1])!)
        say("done")
    default:
        say("what?")
    }
}

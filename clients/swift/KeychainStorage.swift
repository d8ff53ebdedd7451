// Keeps a session in the Keychain. Copy this file into your app, beside Symbolon.swift.

#if canImport(Security)
import Foundation
import Security

/// One item, replaced as a whole, which stays on this device: no backup brings it to another. Until the device has
/// been unlocked once after a start it cannot be read, and that is an error, not a session that has ended.
///
/// The Keychain outlives the app: one that is installed anew finds the session of before.
public struct KeychainStorage: TokenStorage {
    /// What the system answers where it does not do what it is asked to.
    public struct Failure: Error, Equatable {
        public let status: OSStatus
    }

    private let service: String
    private let account: String

    public init(service: String, account: String = "session") {
        self.service = service
        self.account = account
    }

    public func load() throws -> Kept? {
        var query = item
        query[kSecReturnData as String] = true
        query[kSecMatchLimit as String] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound { return nil }
        guard status == errSecSuccess, let data = found as? Data else { throw Failure(status: status) }
        return try JSONDecoder().decode(Kept.self, from: data)
    }

    public func save(_ kept: Kept?) throws {
        guard let kept else {
            try check(SecItemDelete(item as CFDictionary), allowing: errSecItemNotFound)
            return
        }
        let content: [String: Any] = [
            kSecValueData as String: try JSONEncoder().encode(kept),
            kSecAttrAccessible as String: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        let status = SecItemUpdate(item as CFDictionary, content as CFDictionary)
        if status == errSecItemNotFound {
            let new = item.merging(content) { _, new in new }
            try check(SecItemAdd(new as CFDictionary, nil))
        } else {
            try check(status)
        }
    }

    private var item: [String: Any] {
        [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: service,
            kSecAttrAccount as String: account,
        ]
    }

    private func check(_ status: OSStatus, allowing other: OSStatus = errSecSuccess) throws {
        if status != errSecSuccess && status != other { throw Failure(status: status) }
    }
}
#endif

// Keeps a session on Android: in a file that is encrypted by a key which never leaves the Keystore. Copy this
// file into your app, beside Symbolon.kt. Android 6 or later.

package symbolon

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** One file, replaced as a whole and flushed to disk (`AtomicFile`), which no backup contains. */
class KeystoreStorage(context: Context, private val name: String = "symbolon-session") : TokenStorage {
    private val file = AtomicFile(File(context.noBackupFilesDir, name))

    override fun load(): Kept? {
        val sealed = try {
            file.readFully()
        } catch (_: FileNotFoundException) {
            return null
        }
        return try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(TAG_BITS, sealed, 0, NONCE_BYTES))
            Kept.fromJson(String(cipher.doFinal(sealed, NONCE_BYTES, sealed.size - NONCE_BYTES)))
        } catch (_: AEADBadTagException) {
            // Of another installation: its key is gone for good.
            null
        } catch (failure: GeneralSecurityException) {
            // The Keystore may work again in a moment. Nobody is signed out by that.
            throw IOException(failure)
        }
    }

    override fun save(kept: Kept?) {
        if (kept == null) {
            file.delete()
            return
        }
        val sealed = try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.ENCRYPT_MODE, key())
            cipher.iv + cipher.doFinal(kept.toJson().toByteArray())
        } catch (failure: GeneralSecurityException) {
            throw IOException(failure)
        }
        val out = file.startWrite()
        try {
            out.write(sealed)
            // By itself `finishWrite` does the same, but says nothing where that fails.
            out.fd.sync()
            file.finishWrite(out)
        } catch (failure: IOException) {
            file.failWrite(out)
            throw failure
        }
    }

    private fun key(): SecretKey {
        val store = KeyStore.getInstance(KEYSTORE).apply { load(null) }
        return store.getKey(name, null) as SecretKey? ?: newKey()
    }

    private fun newKey(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, KEYSTORE)
        generator.init(
            KeyGenParameterSpec.Builder(name, purposes)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .build(),
        )
        return generator.generateKey()
    }

    private companion object {
        const val KEYSTORE = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}

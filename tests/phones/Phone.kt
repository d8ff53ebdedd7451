// An app on a phone that has no screen: it does what its standard input says, line by line. A test
// drives it (tests/api/clients).

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicLong
import okhttp3.HttpUrl
import okhttp3.HttpUrl.Companion.toHttpUrl
import okhttp3.Interceptor
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import symbolon.Kept
import symbolon.NotNow
import symbolon.Refused
import symbolon.Session
import symbolon.SessionOver
import symbolon.TokenStorage

/** A file in place of the Keystore. */
class FileStorage(private val file: File) : TokenStorage {
    override fun load(): Kept? = if (file.exists()) Kept.fromJson(file.readText()) else null

    override fun save(kept: Kept?) {
        if (kept == null) {
            file.delete()
            return
        }
        val next = File(file.path + ".next")
        FileOutputStream(next).use {
            it.write(kept.toJson().toByteArray())
            it.fd.sync()
        }
        Files.move(next.toPath(), file.toPath(), ATOMIC_MOVE, REPLACE_EXISTING)
    }
}

/** What came of something that may fail, as one word and a code. */
fun outcome(act: () -> String): String = try {
    act()
} catch (over: SessionOver) {
    "over ${over.code}"
} catch (later: NotNow) {
    "later"
} catch (refused: Refused) {
    "refused ${refused.code}"
} catch (failure: IOException) {
    "failed $failure"
}

/** An app's interceptor, such as one that logs: what holds a password or a refresh token is not for it. */
val nosy = Interceptor {
    val path = it.request().url.encodedPath
    check(path in setOf("/auth/me", "/auth/change-password")) { "an interceptor sees $path" }
    it.proceed(it.request())
}

val JSON = "application/json".toMediaType()

fun main(arguments: Array<String>) {
    val base: HttpUrl = arguments[0].toHttpUrl()
    // Milliseconds of a clock that goes on when it is told to.
    val waited = AtomicLong()
    val session = Session(
        base,
        FileStorage(File(arguments[1])),
        now = { waited.get() },
        http = OkHttpClient.Builder().addInterceptor(nosy).addNetworkInterceptor(nosy).build(),
        whenOver = { println("told $it") },
    )
    val me = Request.Builder().url(base.newBuilder().addPathSegments("auth/me").build()).build()
    // Somebody who does not know the password.
    val guess = Request.Builder().url(base.newBuilder().addPathSegments("auth/change-password").build())
        .post("""{"currentPassword":"a guess of mine","newPassword":"another guess"}""".toRequestBody(JSON)).build()
    val call = { outcome { session.client.newCall(me).execute().use { "${it.code}" } } }
    println("ready")
    for (line in System.`in`.bufferedReader().lineSequence()) {
        val words = line.split(' ', limit = 3)
        val said = when (words[0]) {
            "register" -> outcome { session.register(words[1], words[2]); "done" }
            "login" -> outcome { session.login(words[1], words[2]); "done" }
            "logout" -> outcome { session.logout(); "done" }
            // So many calls at once.
            "calls" -> {
                val threads = Executors.newFixedThreadPool(words[1].toInt())
                val calls = threads.invokeAll(List(words[1].toInt()) { Callable { call() } })
                threads.shutdown()
                calls.map { it.get() }.toSet().joinToString(", ")
            }
            "guess" -> outcome { session.client.newCall(guess).execute().use { "${it.code}" } }
            // So many seconds pass, as far as the app can tell.
            "wait" -> { waited.addAndGet(words[1].toLong() * 1000); "done" }
            else -> "what?"
        }
        println(said)
    }
}

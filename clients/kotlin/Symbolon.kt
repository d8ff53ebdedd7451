// A session with Symbolon, for Android and any other JVM. Copy this file into your app.
//
// It needs OkHttp 4 or later and org.json, which is a part of Android. `docs/clients.md` says which rules it
// keeps and why.

package symbolon

import java.io.IOException
import java.util.UUID
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import okhttp3.Authenticator
import okhttp3.CookieJar
import okhttp3.HttpUrl
import okhttp3.Interceptor
import okhttp3.MediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.Response
import okhttp3.Route
import okio.BufferedSink
import org.json.JSONException
import org.json.JSONObject

/** All that has to outlive the app. The key is there while a refresh has no answer. */
class Kept(val refreshToken: String, val idempotencyKey: String? = null) {
    fun toJson(): String =
        JSONObject().put("refreshToken", refreshToken).put("idempotencyKey", idempotencyKey).toString()

    companion object {
        fun fromJson(text: String): Kept {
            val json = JSONObject(text)
            val key = if (json.has("idempotencyKey")) json.getString("idempotencyKey") else null
            return Kept(json.getString("refreshToken"), key)
        }
    }
}

/** Where that is kept. Several threads never call at once. */
interface TokenStorage {
    /** What was saved last; null where that was nothing. */
    fun load(): Kept?

    /** Replaces all of it in one step, or removes it for null. Once this returns, a crash loses nothing. */
    fun save(kept: Kept?)
}

/** The session has ended, for the reason that `code` names: sign in again. */
class SessionOver(val code: String) : IOException("the session is over: $code")

/** The service cannot be asked just now. The session goes on; try again later. */
class NotNow(message: String, cause: Throwable? = null) : IOException(message, cause)

/** The service refuses a call, such as a sign-in with a wrong password. */
class Refused(val status: Int, val code: String) : IOException("refused: $status $code")

/**
 * One session, kept going. An app has one of these, in one process.
 *
 * Everything here blocks, so call it where blocking is allowed.
 *
 * @param base where the service is, such as `https://auth.example.com/`
 * @param now milliseconds of a clock that nobody sets and that goes on in deep sleep: on Android
 *   `SystemClock::elapsedRealtime`
 * @param isOurs which URLs get the access token: by itself those of the service
 * @param whenOver is told once that the session has ended, and why; must not call back
 */
class Session(
    private val base: HttpUrl,
    private val storage: TokenStorage,
    private val now: () -> Long,
    http: OkHttpClient = OkHttpClient(),
    private val isOurs: (HttpUrl) -> Boolean = { it.scheme == base.scheme && it.host == base.host && it.port == base.port },
    private val whenOver: (String) -> Unit = {},
) {
    private class Access(val token: String, val dueAt: Long, val expiresAt: Long)

    private class Answer(val status: Int, private val body: String, val retryAfter: Long) {
        val json: JSONObject by lazy { JSONObject(body) }

        /** What names a failure; empty where that is not one of the service's. */
        val code: String
            get() = try { json.optString("code") } catch (_: JSONException) { "" }

        fun text(field: String): String = json.getString(field)
    }

    private val lock = Any()
    @Volatile private var access: Access? = null
    private var failures = 0
    private var notBefore = Long.MIN_VALUE

    /**
     * Asks the service itself: by body, so without cookies; without the two below; and without the app's interceptors,
     * which would see passwords and refresh tokens.
     */
    private val plain = http.newBuilder()
        .apply { interceptors().clear() }
        .apply { networkInterceptors().clear() }
        .cookieJar(CookieJar.NO_COOKIES)
        .authenticator(Authenticator.NONE)
        .followRedirects(false)
        .callTimeout(30, TimeUnit.SECONDS)
        .build()

    /** For the app's calls: adds the access token, and refreshes it when it is due or is refused. */
    val client: OkHttpClient = http.newBuilder()
        .addInterceptor(Bearer())
        .authenticator(AfterRefusal())
        .build()

    fun register(email: String, password: String, name: String? = null) =
        signIn("auth/register", JSONObject().put("email", email).put("password", password).put("name", name))

    /** Signs in. Log out before, where somebody else was signed in: their session does not end by this. */
    fun login(email: String, password: String) =
        signIn("auth/login", JSONObject().put("email", email).put("password", password))

    /** Ends the session. Where this throws [NotNow], it goes on: try again later. */
    fun logout(): Unit = synchronized(lock) {
        try {
            // Both tokens are needed, and an access token that is still good.
            val pending = storage.load()?.idempotencyKey != null
            var token = (if (pending) renewed(access?.token) else accessToken()) ?: return
            var answer = askToEnd(token)
            if (answer.status == 401) {
                token = renewed(token) ?: return
                answer = askToEnd(token)
            }
            if (answer.status != 204) throw refusal(answer)
            forget()
        } catch (_: SessionOver) {
            // Somebody else was quicker.
        }
    }

    /** A good access token, refreshed where that is due; null where nobody is signed in. */
    fun accessToken(): String? {
        val held = access
        return if (held != null && now() < held.dueAt) held.token else renewed(null)
    }

    /** An access token other than `refused`. One thread at a time gets this far; who has waited finds it done. */
    private fun renewed(refused: String?): String? = synchronized(lock) {
        val kept = storage.load() ?: return null
        val held = access?.takeIf { it.token != refused }
        if (held != null && now() < held.dueAt) return held.token
        try {
            refresh(kept)
        } catch (failure: NotNow) {
            // It was only due, so it will do for some seconds more.
            if (held != null && now() < held.expiresAt) held.token else throw failure
        }
    }

    /**
     * Refreshes. The key is saved before it is sent, and the new token before anything of the answer is used: so
     * whenever the app is killed, what is saved is good for asking again.
     */
    private fun refresh(kept: Kept): String {
        if (now() < notBefore) throw NotNow("it is too early to ask again")
        val answer = try {
            val key = kept.idempotencyKey ?: UUID.randomUUID().toString()
            if (kept.idempotencyKey == null) storage.save(Kept(kept.refreshToken, key))
            val body = JSONObject().put("refreshToken", kept.refreshToken)
            post("auth/refresh-token", body) { header("Idempotency-Key", key) }
        } catch (failure: IOException) {
            throw later("no answer", cause = failure)
        }
        if (answer.status == 401 && answer.code in OVER) {
            forget()
            whenOver(answer.code)
            throw SessionOver(answer.code)
        }
        if (answer.status != 200) throw later("status ${answer.status}", answer.retryAfter)
        return try {
            keep(answer)
        } catch (failure: IOException) {
            throw later("nothing was kept of the answer", cause = failure)
        }
    }

    private fun keep(answer: Answer): String {
        val received = now()
        val (token, next, lives) = try {
            Triple(answer.text("accessToken"), answer.text("refreshToken"), answer.json.getLong("expiresIn") * 1000)
        } catch (failure: JSONException) {
            throw IOException("this is no answer of the service", failure)
        }
        storage.save(Kept(next))
        // Half a minute to a minute ahead, so that those who started together do not come back together.
        val ahead = minOf(60_000, lives / 2) * Random.nextDouble(0.5, 1.0)
        access = Access(token, received + lives - ahead.toLong(), received + lives)
        failures = 0
        notBefore = Long.MIN_VALUE
        return token
    }

    /** Waits from a second to half a minute, longer each time, and never shorter than the service asks for. */
    private fun later(why: String, retryAfter: Long = 0, cause: Throwable? = null): NotNow {
        val most = minOf(30_000L, 1_000L shl minOf(failures++, 5))
        notBefore = now() + retryAfter * 1000 + (most * Random.nextDouble(0.5, 1.0)).toLong()
        return NotNow(why, cause)
    }

    private fun signIn(path: String, body: JSONObject): Unit = synchronized(lock) {
        val answer = try {
            post(path, body.put("refreshTransport", "body"))
        } catch (failure: IOException) {
            throw NotNow("no answer", failure)
        }
        if (answer.status !in 200..201) throw refusal(answer)
        keep(answer)
    }

    /** What a call fails with that was answered, but not done. */
    private fun refusal(answer: Answer): IOException = when (answer.status) {
        429, in 500..599 -> NotNow("status ${answer.status}")
        else -> Refused(answer.status, answer.code)
    }

    private fun askToEnd(token: String): Answer {
        val body = JSONObject().put("refreshToken", storage.load()?.refreshToken)
        return try {
            post("auth/logout", body) { bearer(token) }
        } catch (failure: IOException) {
            throw NotNow("no answer", failure)
        }
    }

    private fun forget() {
        storage.save(null)
        access = null
    }

    private fun post(path: String, body: JSONObject, more: Request.Builder.() -> Unit = {}): Answer {
        val url = base.newBuilder().addPathSegments(path).build()
        val request = Request.Builder().url(url).post(Json(body)).header("Content-Type", "application/json")
        request.more()
        return plain.newCall(request.build()).execute().use {
            Answer(it.code, it.peekBody(65_536).string(), it.header("Retry-After")?.toLongOrNull() ?: 0)
        }
    }

    private inner class Bearer : Interceptor {
        override fun intercept(chain: Interceptor.Chain): Response {
            val request = chain.request()
            val token = if (isOurs(request.url)) accessToken() else null
            if (token == null) return chain.proceed(request)
            return chain.proceed(request.newBuilder().bearer(token).build())
        }
    }

    /** Refreshes and repeats once, where a call was refused because of its access token (RFC 6750, 3.1). */
    private inner class AfterRefusal : Authenticator {
        override fun authenticate(route: Route?, response: Response): Request? {
            val token = response.request.header("Authorization")?.removePrefix("Bearer ")
            val before = generateSequence(response.priorResponse) { it.priorResponse }
            val isBad = response.challenges().any { it.authParams["error"] == "invalid_token" }
            if (token == null || !isOurs(response.request.url) || !isBad || before.any { it.code == 401 }) return null
            val better = renewed(token) ?: return null
            return response.request.newBuilder().bearer(better).build()
        }
    }

    /** Says what it is by a header, so that no character set is added to it. */
    private class Json(body: JSONObject) : RequestBody() {
        private val bytes = body.toString().toByteArray()

        override fun contentType(): MediaType? = null

        override fun contentLength() = bytes.size.toLong()

        override fun writeTo(sink: BufferedSink) {
            sink.write(bytes)
        }
    }

    private companion object {
        /** The answers to a refresh that end a session. Nothing else does. */
        val OVER = setOf(
            "REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_REUSED", "REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_MISSING",
            "SESSION_REVOKED",
        )

        fun Request.Builder.bearer(token: String) = header("Authorization", "Bearer $token")
    }
}

using Microsoft.AspNetCore.Http;

namespace FewStep.Studio;

/// <summary>Lets in who has the address that the program printed, and nobody else: other users of this machine reach its ports too, and so
/// does every page that a browser on it shows.</summary>
/// <remarks>The token is the first part of the path. In a cookie it would go to whatever else listens on 127.0.0.1, for cookies know no
/// ports; relative addresses carry it by themselves, and none is ever sent on as a referrer.</remarks>
internal sealed class RequestGate(int port)
{
    private static readonly (string Name, string Value)[] Headers =
    [
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ];

    private readonly byte[] _token = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)));

    public string Address => InvariantText.Of($"http://127.0.0.1:{port}/{Encoding.ASCII.GetString(_token)}/");

    /// <summary>Gives the answer its headers, and looks at who asks.</summary>
    /// <returns>The path behind the token; null where the request was refused, and its answer says so.</returns>
    public string? Admit(HttpContext context)
    {
        foreach (var (name, value) in Headers)
            context.Response.Headers[name] = value;
        var request = context.Request;
        string host = request.Headers.Host.ToString(), origin = request.Headers.Origin.ToString();
        // A name that somebody else's server answers for may point here (DNS rebinding).
        bool isHere = host == InvariantText.Of($"127.0.0.1:{port}") || host == InvariantText.Of($"localhost:{port}");
        // Browsers say whence they were sent; images and scripts of other pages have no origin.
        bool isOwn = (origin.Length == 0 || origin == $"http://{host}")
            && request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none";
        string[] parts = (request.Path.Value ?? "").Split('/', 3);
        if (isHere && isOwn && parts.Length == 3 && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(parts[1]), _token))
            return parts[2];
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return null;
    }
}

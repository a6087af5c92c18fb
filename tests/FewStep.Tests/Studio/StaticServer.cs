using System.Net;

namespace FewStep.Tests.Studio;

/// <summary>Serves the files of a folder as they are, as any static server would.</summary>
internal sealed class StaticServer : IDisposable
{
    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".mjs"] = "text/javascript; charset=utf-8",
        [".json"] = "application/json",
        [".svg"] = "image/svg+xml",
        [".wasm"] = "application/wasm",
    };

    private readonly HttpListener _listener = new();
    private readonly string _folder;
    private readonly bool _isolated;

    /// <param name="folder">What is served.</param>
    /// <param name="isolated">Whether pages are isolated from those of other origins, so that they may have threads.</param>
    public StaticServer(string folder, bool isolated = false)
    {
        (_folder, _isolated) = (folder, isolated);
        Address = new Uri($"http://127.0.0.1:{FreePort()}/");
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _ = Serve();
    }

    public Uri Address { get; }

    /// <summary>The files that were asked for.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<string> Asked { get; } = new();

    public void Dispose() => _listener.Close();

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private async Task Serve()
    {
        while (_listener.IsListening)
        {
            try
            {
                Answer(await _listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The server was disposed of, or a browser went away.
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        string name = context.Request.Url!.AbsolutePath.TrimStart('/');
        string path = Path.Combine(_folder, name.Length == 0 ? "index.html" : name);
        Asked.Enqueue(name);
        using var response = context.Response;
        if (_isolated)
        {
            response.AddHeader("Cross-Origin-Opener-Policy", "same-origin");
            response.AddHeader("Cross-Origin-Embedder-Policy", "require-corp");
        }

        if (!File.Exists(path))
        {
            response.StatusCode = (int)HttpStatusCode.NotFound;
            return;
        }

        byte[] content = File.ReadAllBytes(path);
        response.ContentType = Types.GetValueOrDefault(Path.GetExtension(path), "application/octet-stream");
        response.ContentLength64 = content.Length;
        response.OutputStream.Write(content);
    }
}

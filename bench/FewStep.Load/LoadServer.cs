using Microsoft.AspNetCore.Builder;
using WebApi;

namespace FewStep.Load;

/// <summary>samples/WebApi in this process, on a free port.</summary>
internal sealed class LoadServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LoadServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public static async Task<LoadServer> StartAsync(string sampler, string batch, string queued, string threads)
    {
        var app = ImageApi.Create(
        [
            "--urls=http://127.0.0.1:0", $"--FewStep:SamplerPath={sampler}", $"--FewStep:MaximumBatch={batch}",
            $"--FewStep:MaximumQueued={queued}", $"--FewStep:Threads={threads}", "--Logging:LogLevel:Default=Error",
        ]);
        await app.StartAsync();
        return new LoadServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

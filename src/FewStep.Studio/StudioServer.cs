using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FewStep.Studio;

/// <summary>The studio's web server, on 127.0.0.1 alone; dispose it to end it.</summary>
internal sealed class StudioServer : IAsyncDisposable
{
    private const int MostBytes = 64 << 10, MostConnections = 64;
    private readonly WebApplication _application;
    private readonly Workshop _workshop;

    private StudioServer(WebApplication application, Workshop workshop, string address)
        => (_application, _workshop, Address) = (application, workshop, address);

    /// <summary>What to open in a browser, token included.</summary>
    public string Address { get; }

    /// <exception cref="InvalidInputException">The model cannot be opened, or the port is taken.</exception>
    public static async Task<StudioServer> Start(StudioOptions options, CancellationToken cancellation = default)
    {
        var workshop = new Workshop(options);
        try
        {
            workshop.Describe(new SamplerRequest());
            // The empty builder reads no files and no variables that would have it listen elsewhere.
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Services.AddSingleton<IHostLifetime, UntilDisposed>();
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, options.Port);
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = MostBytes;
                kestrel.Limits.MaxConcurrentConnections = MostConnections;
            });
            var application = builder.Build();
            StudioApi? api = null;
            application.Run(context => api!.Answer(context));
            try
            {
                await application.StartAsync(cancellation);
            }
            catch (IOException e)
            {
                throw new InvalidInputException(
                    $"Port {options.Port} of 127.0.0.1 cannot be listened at: {e.Message} Choose another port, or 0 for a free one.", e);
            }

            var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
            var bound = new Uri(addresses.First());
            var gate = new RequestGate(bound.Port);
            api = new StudioApi(gate, workshop);
            return new StudioServer(application, workshop, gate.Address);
        }
        catch
        {
            await workshop.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Pages that listen for jobs would keep it waiting.
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        await _workshop.DisposeAsync();
    }

    // Signals are the command line's.
    private sealed class UntilDisposed : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

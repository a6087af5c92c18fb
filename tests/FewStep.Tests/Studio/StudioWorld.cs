using System.Net.Http.Json;
using System.Text.Json;
using FewStep.Experiments;
using FewStep.Models;
using FewStep.Studio;
using FewStep.Tests.Cli;
using FewStep.Tests.Reporting;

namespace FewStep.Tests.Studio;

/// <summary>A studio of the random model of <see cref="TinyWorld"/>, with two experiments in its folder of runs.</summary>
public sealed class StudioWorld : IAsyncLifetime
{
    private readonly TinyWorld _tiny = new();
    private StudioServer _server = null!;

    /// <summary>The address with its token.</summary>
    public Uri Address { get; private set; } = null!;

    internal HttpClient Client { get; private set; } = null!;
    public string Model => _tiny.Model;
    public string Data => _tiny.Data;
    public string Out => _tiny.At("out");
    public string Runs => _tiny.At("runs");
    internal static ModelOptions Opening { get; } = new() { ComputeType = ScalarType.Float32 };

    public async ValueTask InitializeAsync()
    {
        foreach (string run in new[] { "first", "second" })
        {
            JsonFile.Write(Path.Combine(Runs, run, Summary.FileName), SampleSummary.Full() with { Title = $"Run <{run}>" });
            AtomicFile.WriteText(Path.Combine(Runs, run, "report.html"), "<script>alert('of somebody else')</script>");
        }

        _server = await StudioServer.Start(new StudioOptions
        { Model = Model, Data = Data, Out = Out, Runs = Runs, Opening = Opening }, TestContext.Current.CancellationToken);
        Address = new Uri(_server.Address);
        Client = new HttpClient { BaseAddress = Address };
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        _tiny.Dispose();
    }

    /// <summary>The answer to a call, which must be given.</summary>
    internal async Task<JsonElement> Post(string call, object body)
    {
        using var response = await Client.PostAsJsonAsync($"api/{call}", body, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    internal Task<JsonElement> Get(string call) =>
        Client.GetFromJsonAsync<JsonElement>($"api/{call}", TestContext.Current.CancellationToken);

    /// <summary>What a call is refused with: one line.</summary>
    internal async Task<string> Refused(string call, object body)
    {
        using var response = await Client.PostAsJsonAsync($"api/{call}", body, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, response.StatusCode);
        string line = answer.GetProperty("error").GetString()!;
        Assert.DoesNotContain('\n', line);
        Assert.DoesNotContain("defect", line, StringComparison.Ordinal);
        return line;
    }
}

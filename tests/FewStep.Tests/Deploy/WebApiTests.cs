using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FewStep.Deploy;
using FewStep.Tests.Onnx;
using Microsoft.AspNetCore.Builder;
using WebApi;

namespace FewStep.Tests.Deploy;

/// <summary>samples/WebApi on a port of its own.</summary>
public sealed class WebApiTests : IAsyncDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = new();
    private WebApplication? _app;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(None); // what is left of requests that hung up
            await _app.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Images_of_all_ways_are_the_samplers_own()
    {
        string path = await Start(SamplerOnnx.Conditional());
        using var sampler = FewStepSampler.Open(path);
        var expected = await sampler.GenerateAsync([7, 8], [2, 2], None);
        using var image = await _client.GetAsync("/images/7.png?label=2", None);
        Assert.Equal("image/png", image.Content.Headers.ContentType!.MediaType);
        Assert.Equal(expected.GetPng(0), await image.Content.ReadAsByteArrayAsync(None));
        using var images = await _client.PostAsJsonAsync("/images", new ImageRequest([7, 8], [2, 2]), None);
        using var prompted = await _client.PostAsJsonAsync("/generate", new PromptRequest("bag", 2, 7), None);
        foreach (var answer in new[] { images, prompted })
        {
            var made = await answer.Content.ReadFromJsonAsync<ImageResponse>(None);
            Assert.Equal([expected.GetPng(0), expected.GetPng(1)], made!.Images);
        }

        Assert.Equal("Healthy", await _client.GetStringAsync("/health", None));
        var about = await _client.GetFromJsonAsync<JsonElement>("/sampler", None);
        Assert.Equal(("tiny", 3), (about.GetProperty("model").GetString(), about.GetProperty("classes").GetInt32()));
    }

    [Theory]
    [InlineData("/images/-1.png")]
    [InlineData("/images/4294967296.png")]
    [InlineData("/images/1.png?label=3")]
    [InlineData("/images/1.png?label=cat")]
    public async Task What_cannot_be_made_is_a_bad_request(string address)
    {
        await Start(SamplerOnnx.Conditional());
        using var answer = await _client.GetAsync(address, None);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var prompted = await _client.PostAsJsonAsync("/generate", new PromptRequest("a cat"), None);
        Assert.Equal(HttpStatusCode.BadRequest, prompted.StatusCode);
        Assert.Contains("shoe, shirt, bag", await prompted.Content.ReadAsStringAsync(None), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Past_the_queue_it_answers_503_with_Retry_After_until_callers_leave()
    {
        await Start(SamplerOnnx.Endless(), "--FewStep:MaximumBatch=1", "--FewStep:MaximumQueued=1", "--FewStep:BatchWait=00:00:00");
        using CancellationTokenSource first = new(), second = new();
        var running = _client.GetAsync("/images/1.png", first.Token);
        await Until(async () => await Waiting() == "Healthy", running);
        var waiting = _client.GetAsync("/images/2.png", second.Token);
        await Until(async () => await Waiting() == "Degraded", waiting);
        using var refused = await _client.GetAsync("/images/3.png", None);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));

        await second.CancelAsync(); // the caller hangs up
        await Until(async () => await Waiting() == "Healthy", running);
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public void Without_a_sampler_it_does_not_start()
    {
        string path = _folder.File("nothing.onnx");
        Assert.Contains("There is no file", Assert.Throws<SamplerGraphException>(() => Create(path)).Message, StringComparison.Ordinal);
    }

    private Task<string> Waiting() => _client.GetStringAsync("/health", None);

    private async Task<string> Start(OnnxFile graph, params string[] options)
    {
        string path = graph.Write(_folder.File("sampler.onnx"));
        _app = Create(path, options);
        await _app.StartAsync(None);
        _client.BaseAddress = new Uri(_app.Urls.Single());
        return path;
    }

    private static WebApplication Create(string sampler, params string[] options) => ImageApi.Create(
    [
        "--urls=http://127.0.0.1:0", $"--FewStep:SamplerPath={sampler}", "--FewStep:Threads=1", "--Logging:LogLevel:Default=Critical",
        .. options,
    ]);

    private static async Task Until(Func<Task<bool>> holds, Task meanwhile)
    {
        for (int i = 0; i < 500 && !await holds(); i++)
            await Task.Delay(10, None);
        Assert.True(await holds());
        Assert.False(meanwhile.IsCompleted);
    }
}

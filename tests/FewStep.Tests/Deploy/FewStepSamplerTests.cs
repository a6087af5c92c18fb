using FewStep.Deploy;
using FewStep.Sampling;
using FewStep.Tests.Onnx;

namespace FewStep.Tests.Deploy;

public sealed class FewStepSamplerTests : FolderTests
{
    private static readonly long[] Seeds = [0, 1, 5, 4294967295, 7];
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData(64)]
    [InlineData(2)]
    public async Task Images_of_seeds_are_those_of_their_noise_and_label(int batch)
    {
        using var sampler = Open(SamplerOnnx.Conditional(), new() { BatchSize = batch, Threads = 1 });
        using var noise = Latents.Draw(Seeds, SamplerOnnx.Shape);
        float[] latents = noise.data<float>().ToArray();
        void Same(GeneratedImages images, Func<int, long> label)
        {
            Assert.Equal(Seeds.Length, images.Count);
            Assert.Equal(latents.Select((v, i) => SamplerOnnx.Image(v, label(i / sampler.Description.Dimension))),
                images.Values.ToArray(), (a, b) => Math.Abs(a - b) < 1e-5);
        }

        Same(await sampler.GenerateAsync(Seeds, cancellation: None), i => Seeds[i] % SamplerOnnx.Classes);
        Same(await sampler.GenerateAsync(Seeds, [2, 1, 0, FewStepSampler.NoClass, 2], None),
            i => new long[] { 2, 1, 0, SamplerOnnx.Classes, 2 }[i]);
        Same(await sampler.GenerateAsync(latents, cancellation: None), i => i % SamplerOnnx.Classes);
        Assert.Equal(latents, sampler.DrawLatents(Seeds), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public async Task A_model_without_classes_takes_no_labels()
    {
        using var sampler = Open(SamplerOnnx.Unconditional());
        Assert.Equal((3, 4, 5, 0, 2, 2.0), (sampler.Description.Channels, sampler.Description.Height, sampler.Description.Width,
            sampler.Description.Classes, sampler.Description.Steps, sampler.Description.Evaluations));
        var images = await sampler.GenerateAsync([3], cancellation: None);
        Assert.Equal(SamplerOnnx.Image(sampler.DrawLatents([3])[7], 0), images.Values.Span[7], 1e-5f);
        await Assert.ThrowsAsync<ArgumentException>(() => sampler.GenerateAsync([3], [1], None));
    }

    [Fact]
    public async Task Seeds_labels_and_latents_out_of_range_are_refused()
    {
        using var sampler = Open(SamplerOnnx.Conditional());
        Task Refused<T>(Func<Task> call)
            where T : ArgumentException => Assert.ThrowsAsync<T>(call);
        await Refused<ArgumentOutOfRangeException>(() => sampler.GenerateAsync([-1], cancellation: None));
        await Refused<ArgumentOutOfRangeException>(() => sampler.GenerateAsync([4294967296], cancellation: None));
        await Refused<ArgumentOutOfRangeException>(() => sampler.GenerateAsync([1], [3], None));
        await Refused<ArgumentOutOfRangeException>(() => sampler.GenerateAsync([1], [-2], None));
        await Refused<ArgumentException>(() => sampler.GenerateAsync([1], [0, 1], None));
        await Refused<ArgumentException>(() => sampler.GenerateAsync([], cancellation: None));
        await Refused<ArgumentException>(() => sampler.GenerateAsync(new float[61], cancellation: None));
    }

    [Fact]
    public void What_is_no_sampler_graph_is_refused_in_one_line_that_says_how_to_make_one()
    {
        const string make = "fewstep export --model";
        Refused(make, _folder.File("nothing.onnx"));
        Refused(make, _folder.Write("empty.onnx", []));
        Refused(make, _folder.Write("text.onnx", "version https://git-lfs.github.com/spec/v1"u8.ToArray()));
        Refused($"no sampler graph of FewStep; make one with: {make}", GaussianOnnx.Denoised().Write(_folder.File("foreign.onnx")));
        Refused("a denoiser graph", GaussianOnnx.Denoised().Metadata("fewstep.kind", "denoiser").Write(_folder.File("denoiser.onnx")));
        Refused("format '2'", GaussianOnnx.Denoised().Metadata("fewstep.kind", "sampler").Metadata("fewstep.format", "2")
            .Write(_folder.File("newer.onnx")));
        Refused("'1,2' as its shape", GaussianOnnx.Denoised().Metadata("fewstep.kind", "sampler").Metadata("fewstep.format", "1")
            .Metadata("fewstep.shape", "1,2").Write(_folder.File("shape.onnx")));
        Refused("as its class_names", SamplerOnnx.Unconditional().Metadata("fewstep.class_names", "{").Write(_folder.File("names.onnx")));
        Refused("does not take latents [batch,2,3,2]",
            SamplerOnnx.Described(GaussianOnnx.Denoised(), GaussianOnnx.Shape, 0).Write(_folder.File("inputs.onnx")));
        Refused("does not take latents [batch,3,4,5] and labels",
            SamplerOnnx.Described(SamplerOnnx.Unconditional(), SamplerOnnx.Shape, 4).Write(_folder.File("labels.onnx")));
    }

    [Theory]
    [InlineData(ExecutionProvider.Cuda, "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData(ExecutionProvider.DirectML, "Microsoft.ML.OnnxRuntime.DirectML")]
    public void A_provider_that_is_not_there_is_named_with_its_package(ExecutionProvider provider, string package)
    {
        string path = SamplerOnnx.Unconditional().Write(_folder.File("s.onnx"));
        string message = Assert.Throws<SamplerGraphException>(() => FewStepSampler.Open(path, new() { Provider = provider })).Message;
        Assert.Contains($"reference {package} in place of", message, StringComparison.Ordinal);
        Assert.Contains("CPUExecutionProvider alone", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_evaluation_ends_when_it_is_cancelled_or_its_sampler_disposed_of()
    {
        using var sampler = Open(SamplerOnnx.Endless());
        using (var cancel = new CancellationTokenSource(100))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sampler.GenerateAsync([1], cancellation: cancel.Token));
        var endless = Enumerable.Range(0, 3).Select(i => sampler.GenerateAsync([i], cancellation: None)).ToList();
        await Task.Delay(50, None);
        await Task.Run(sampler.Dispose, None);
        foreach (var task in endless)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
        Assert.Throws<ObjectDisposedException>(() => { _ = sampler.GenerateAsync([1], cancellation: None); });
    }

    [Fact]
    public async Task Many_threads_get_the_images_of_one()
    {
        using var sampler = Open(SamplerOnnx.Conditional());
        var alone = (await sampler.GenerateAsync(Seeds, cancellation: None)).Values.ToArray();
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => sampler.GenerateAsync(Seeds, cancellation: None)));
        Assert.All(together, images => Assert.Equal(alone, images.Values.ToArray()));
    }

    [Fact]
    public void The_package_needs_neither_libtorch_nor_the_library()
    {
        string[] needed = [.. typeof(FewStepSampler).Assembly.GetReferencedAssemblies().Select(a => a.Name!)];
        Assert.Contains("Microsoft.ML.OnnxRuntime", needed);
        Assert.DoesNotContain(needed, n => n is "FewStep" or "TorchSharp" or "SkiaSharp" || n.StartsWith("Microsoft.AspNetCore"));
    }

    private FewStepSampler Open(OnnxFile graph, FewStepSamplerOptions? options = null) =>
        FewStepSampler.Open(graph.Write(_folder.File("sampler.onnx")), options);

    private static void Refused(string expected, string path)
    {
        string message = Assert.Throws<SamplerGraphException>(() => FewStepSampler.Open(path)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith(Path.GetDirectoryName(path)!, message.Replace("There is no file ", "", StringComparison.Ordinal),
            StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}

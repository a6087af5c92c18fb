using FewStep.Data;
using FewStep.Metrics;
using FewStep.Sampling;
using FewStep.Tests.Cli;
using FewStep.Tests.Onnx;
using FewStep.Text;

namespace FewStep.Tests.Metrics;

public sealed class ClipScoreTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private const int Side = 4, Length = 77, Width = 3;
    private static readonly string[] Texts = ["bars", "Rows", "wide bars", "wide rows"];

    [Fact]
    public void The_score_is_the_mean_of_positive_cosines()
    {
        using var scope = NewDisposeScope();
        using var clip = ClipModel.Open(Folder("formula"));
        using var generator = new Generator(3);
        var samples = randn([6, 1, 8, 8], generator: generator);
        using var images = new MeasuredImages(samples);
        var metric = new ClipScoreMetric(clip, Texts);
        using var measurement = metric.Begin(6, new SeedRange(5, 6));
        measurement.Add(images);
        string[] own = [.. Enumerable.Range(5, 6).Select(seed => Texts[seed % 4])];
        double[] expected = [.. Cosines(images.Pixels, own).Select(c => 100 * Math.Max(c, 0))];
        Assert.Contains(expected, e => e == 0);
        Assert.Contains(expected, e => e > 1);
        Assert.Equal(expected.Average(), measurement.Finish(default)[0].Value, 3);
        Assert.Equal("CLIP score (formula)", metric.Figures[0].Name);
        using var stored = metric.Begin(6, null);
        Assert.Contains("leave the metric clip-score out", Assert.Throws<InvalidInputException>(() => stored.Add(images)).Message,
            StringComparison.Ordinal);
        using var labelled = new MeasuredImages(samples) { Labels = [3, 0, 1, 2, 2, 1] };
        using var part = labelled.Part(1, 4);
        stored.Add(part);
        Assert.Equal(Cosines(part.Pixels, [Texts[0], Texts[1], Texts[2], Texts[2]]).Average(c => 100 * Math.Max(c, 0)),
            stored.Finish(default)[0].Value, 3);
        Assert.NotEqual(metric.Identity, new ClipScoreMetric(clip, ["a", "b"]).Identity);
    }

    [Fact]
    public void Images_enter_as_pillow_resizes_them()
    {
        using var scope = NewDisposeScope();
        double[] row = [.8671875, .8671875, .2265625, -.0703125];
        Assert.All(row.Zip(ClipPreprocessing.Weights(4, 2)[0].data<double>().ToArray()),
            pair => Assert.Equal(pair.First / 1.890625, pair.Second, 12));
        Assert.True(ClipPreprocessing.Weights(5, 5).allclose(eye(5, dtype: float64)));
        var preprocessing = new ClipPreprocessing { ShorterSide = 4, Side = 2, Mean = [0.5, 0.5, 0.5], Deviation = [0.5, 0.25, 0.125] };
        var grey = full([1, 1, 6, 8], PixelScale.FromBytes(tensor((byte)200)).ToScalar(), dtype: float32);
        var made = preprocessing.Of(grey);
        Assert.Equal([1, 3, 2, 2], made.shape);
        double[] deviations = [0.5, 0.25, 0.125];
        Assert.All(deviations.Zip(made[0, TensorIndex.Colon, 1, 1].data<float>().ToArray()),
            pair => Assert.Equal(((200 / 255.0) - 0.5) / pair.First, pair.Second, 5));
    }

    [Theory]
    [InlineData("\"resample\":2", "resample is 2; known is 3")]
    [InlineData("\"do_resize\":false", "do_resize is false; known is true")]
    [InlineData("\"image_mean\":[1,2]", "image_mean is [1,2]; known is three numbers")]
    [InlineData("\"crop_size\":{\"height\":4,\"width\":5}", "crop_size is {\"height\":4,\"width\":5}")]
    [InlineData("\"crop_size\":8", "size is 4; known is the crop's 8 or more")]
    [InlineData("\"sharpen\":2", "sharpen is 2")]
    public void What_would_change_the_images_is_refused(string setting, string fragment)
    {
        string crop = setting.Contains("crop_size", StringComparison.Ordinal) ? "" : "\"crop_size\":4,";
        string path = world.Write("refused.json", $"{{\"size\":4,{crop}{setting}}}");
        Assert.Contains(fragment, Assert.Throws<InvalidInputException>(() => ClipPreprocessing.Read(path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_verb_measures_it_by_names_of_classes()
    {
        string clip = Folder("clip"), folder = world.At("clip-evaluation");
        string[] evaluate = ["evaluate", "--model", world.Model, "--data", world.Data, "--metrics", "clip-score", "--schedules", "karras",
            "--solver", "euler", "--steps", "2", "--samples", "4", "--ranges", "2", "--strip-seeds", "none", "--out", folder];
        await CommandLineRun.Refused("Name the folder of an ONNX CLIP with --clip", evaluate);
        await CommandLineRun.Refused("has no model.onnx", [.. evaluate, "--clip", world.Model]);
        var summary = await CommandLineRun.Json([.. evaluate, "--clip", clip]);
        using var scope = NewDisposeScope();
        using var model = Model.Open(world.Model);
        using var samples = model.Sample(SeedList.Of(8), model.CreateSampler("karras/euler/2"));
        using var images = new MeasuredImages(samples.Images);
        double[] scores = [.. Cosines(images.Pixels, [.. Texts, .. Texts]).Select(c => 100 * Math.Max(c, 0))];
        double told = summary.GetProperty("trials")[0].GetProperty("figures").GetProperty("clip-score").GetProperty("mean").GetDouble();
        Assert.Equal(scores.Average(), told, 0.5); // the network computes in bfloat16, batch by batch
    }

    [Fact]
    public async Task Stored_images_are_scored_by_their_captions()
    {
        string clip = Folder("clip-stored"), images = world.At("captioned");
        await CommandLineRun.Json("sample", "--model", GoldenPipelines.At("sd15-tiny"), "--prompts",
            world.Write("prompts.txt", string.Join('\n', Texts)), "--sampler", "karras/euler/1", "--seeds", "2-6", "--dtype", "float32",
            "--out", images);
        Assert.Equal("""{"file_name":"000002.png","text":"wide bars"}""", File.ReadLines(Path.Combine(images, "metadata.jsonl")).First());
        string[] evaluate = ["evaluate", "--images", images, "--metrics", "clip-score", "--clip", clip, "--ranges", "1", "--out",
            world.At("captioned-evaluation")];
        double Told(System.Text.Json.JsonElement summary)
            => summary.GetProperty("trials")[0].GetProperty("figures").GetProperty("clip-score").GetProperty("mean").GetDouble();
        double told = Told(await CommandLineRun.Json(evaluate));
        using var scope = NewDisposeScope();
        using var set = ImageSets.Open(images);
        using var pixels = new ImageTensors(set).Read([0, 1, 2, 3, 4]);
        Assert.Equal(Cosines(pixels, [Texts[2], Texts[3], Texts[0], Texts[1], Texts[2]]).Average(c => 100 * Math.Max(c, 0)), told, 2);
        Assert.Equal(told, Told(await CommandLineRun.Json([.. evaluate, "--prompts", images])), 6);
        await CommandLineRun.Refused("Nothing says which prompts", [.. evaluate, "--prompts", world.At("prompts.txt")]);
        await CommandLineRun.Refused("Prompts are for --metrics clip-score",
            "evaluate", "--images", images, "--metrics", "is", "--prompts", images, "--features", "classifier");
    }

    // What the graph below computes.
    private static double[] Cosines(Tensor pixels, string[] texts)
    {
        var preprocessing = new ClipPreprocessing { ShorterSide = Side, Side = Side };
        var tokenizer = ClipTokenizer.Open(GoldenPipelines.At("sd15-tiny", "tokenizer"));
        var images = preprocessing.Of(pixels).view(pixels.shape[0], -1).matmul(tensor(OfImages).view(-1, Width));
        var rows = texts.Select(text =>
        {
            var ids = tokenizer.Encode(text);
            return tensor([.. tokenizer.Padded(ids, Length).Select((id, i) => i < ids.Count ? (float)id : 0)]).matmul(
                tensor(OfTexts).view(Length, Width));
        });
        return [.. nn.functional.cosine_similarity(images, stack(rows), 1).data<float>().ToArray().Select(c => (double)c)];
    }

    private static float[] OfImages => [.. Enumerable.Range(0, 3 * Side * Side * Width).Select(i => MathF.Sin(i))];
    private static float[] OfTexts => [.. Enumerable.Range(0, Length * Width).Select(i => MathF.Cos(1.7f * i) / 1000)];

    private string Folder(string name)
    {
        Directory.CreateDirectory(world.At(name));
        new OnnxFile()
            .Input("pixel_values", OnnxFile.Float, null, 3, Side, Side)
            .Input("input_ids", OnnxFile.Int64, null, Length)
            .Input("attention_mask", OnnxFile.Int64, null, Length)
            .Output("text_embeds", null, Width)
            .Output("image_embeds", null, Width)
            .Integers("flat", [2], -1, 3 * Side * Side)
            .Floats("of_images", [3 * Side * Side, Width], OfImages)
            .Floats("of_texts", [Length, Width], OfTexts)
            .Node("Reshape", "pixels", "pixel_values", "flat")
            .Node("MatMul", "image_embeds", "pixels", "of_images")
            .CastToFloat("ids", "input_ids")
            .CastToFloat("mask", "attention_mask")
            .Node("Mul", "told", "ids", "mask")
            .Node("MatMul", "text_embeds", "told", "of_texts")
            .Write(world.At(name, "model.onnx"));
        world.Write(Path.Combine(name, "preprocessor_config.json"), $$"""
            {"do_resize":true,"size":{"shortest_edge":{{Side}}},"crop_size":{"height":{{Side}},"width":{{Side}}},"do_center_crop":true,
             "resample":3,"do_rescale":true,"rescale_factor":0.00392156862745098,"do_normalize":true,"do_convert_rgb":true,
             "image_mean":[0.48145466,0.4578275,0.40821073],"image_std":[0.26862954,0.26130258,0.27577711],
             "image_processor_type":"CLIPImageProcessor"}
            """);
        foreach (string file in Directory.GetFiles(GoldenPipelines.At("sd15-tiny", "tokenizer")))
            File.Copy(file, world.At(name, Path.GetFileName(file)), overwrite: true);
        return world.At(name);
    }
}

using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class InceptionTests : TensorFileTests
{
    [Fact]
    public void The_layout_has_the_names_and_shapes_of_the_reference()
    {
        var expected = ProceduralInception.Shapes();
        var own = InceptionLayout.All.SelectMany(l => new[]
        {
            ($"{l.Name}.conv.weight", l.Shape), ($"{l.Name}.bn.weight", [l.Outputs]), ($"{l.Name}.bn.bias", [l.Outputs]),
            ($"{l.Name}.bn.running_mean", [l.Outputs]), ($"{l.Name}.bn.running_var", [l.Outputs]),
        }).Append(("fc.weight", [1008, 2048])).Append(("fc.bias", [1008])).ToDictionary();
        Assert.Equal(expected.Keys.Order(), own.Keys.Order());
        Assert.All(expected, e => Assert.Equal(e.Value, own[e.Key]));
        Assert.Equal(InceptionLayout.All.Count, InceptionLayout.All.Select(l => l.ScriptName).Distinct().Count());
    }

    [Fact]
    public void Features_from_a_file_agree_with_the_reference_implementation()
    {
        string path = _folder.File("weights.pth");
        ProceduralInception.Write(path, InceptionKind.PytorchFid);
        var golden = NpzFile.Read(ProceduralInception.Golden("inception.golden.npz"));
        var bytes = golden["image"].ToTensor();
        using var features = InceptionFeatures.Load(path, new ImageShape(3, 64, 64));
        Assert.Equal(InceptionKind.PytorchFid, features.Kind);
        Assert.False(features.IsOfficial);
        Assert.Matches("^[0-9a-f]{64}$", features.Hash);
        var images = PixelScale.FromBytes(bytes);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var blocks = features.BlockMeans(images);
        Assert.Equal(before + 4, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        foreach (var (name, block) in new[] { "pool64", "pool192", "pool768", "pool2048" }.Zip(blocks))
            Assert.InRange(RelativeError(block, golden[name].ToTensor().reshape(block.shape)), 0, 2e-5);
        Assert.True(features.Extract(images).Equals(blocks[3]));
        Assert.Equal([2, 1008], features.ClassLogits(blocks[3]).shape);
        Assert.Throws<ArgumentException>(() => features.Extract(zeros(1, 4, 64, 64)));

        // Images of another size, of a reference, are resized as if the network had been opened for them.
        var smaller = images.narrow(2, 0, 40).narrow(3, 0, 24);
        using (var opened = InceptionFeatures.Load(path, new ImageShape(3, 40, 24)))
        {
            Assert.True(features.Extract(smaller).Equals(opened.Extract(smaller)));
        }

        using (var other = new StripedImages(2, 1, new ImageShape(1, 16, 16)))
        using (var mixed = FeatureReference.Measure(other, features))
        {
            Assert.Equal(2048, mixed.Statistics.Dimension);
        }

        using var real = new StripedImages(2, 1, features.Shape);
        using var reference = FeatureReference.Measure(real, features);
        var figure = FrechetMetric.Of(FeatureKind.Inception, features, reference).Figures[0];
        Assert.Equal(("fid", "FID", "FID"), (figure.Key, figure.Name, figure.ShortName));
        Assert.Contains("2048 features of Inception-v3;", figure.Description, StringComparison.Ordinal);
        Assert.Contains("none of the public files", features.Remark, StringComparison.Ordinal);
    }

    [Fact]
    public void The_torchscript_archive_gives_the_same_network_under_its_own_names_and_scale()
    {
        string path = _folder.File("weights.pt");
        ProceduralInception.Write(path, InceptionKind.TorchScript);
        using var scripted = InceptionFeatures.Load(path, new ImageShape(1, 299, 299));
        Assert.Equal(InceptionKind.TorchScript, scripted.Kind);
        var weights = ProceduralInception.Weights();
        foreach (string name in weights.Keys.Where(k => k.EndsWith(".bn.weight", StringComparison.Ordinal)))
            weights[name] = ones_like(weights[name]);
        using var network = InceptionWeights.Build(weights, InceptionKind.PytorchFid, "the test");
        // At 299 pixels neither translation resizes; gray is repeated; bytes are scaled as (b - 128) / 128.
        var bytes = randint(0, 256, [1, 1, 299, 299], dtype: ScalarType.Byte, generator: new Generator(4));
        var x = ((bytes.to(ScalarType.Float32) - 128) / 128).expand(-1, 3, -1, -1);
        Assert.InRange(RelativeError(scripted.Extract(PixelScale.FromBytes(bytes)), network.Features(x)), 0, 1e-6);
    }

    [Theory]
    [InlineData(32, 48)]
    [InlineData(400, 299)]
    public void The_torchscript_input_is_resized_as_tensorflow_1_does(int height, int width)
    {
        var bytes = randint(0, 256, [1, 3, height, width], dtype: ScalarType.Byte, generator: new Generator(5));
        using var input = new InceptionInput(InceptionKind.TorchScript, new ImageShape(3, height, width), CPU);
        var prepared = input.Prepare(PixelScale.FromBytes(bytes));
        var pixels = bytes.to(ScalarType.Float64).data<double>().ToArray();
        double Pixel(int c, int y, int x) => pixels[(((c * height) + Math.Min(y, height - 1)) * width) + Math.Min(x, width - 1)];
        for (int i = 0; i < 300; i++)
        {
            (int c, int row, int column) = (i % 3, i * 7 % 299, i * 31 % 299);
            double y = (double)row * height / 299, x = (double)column * width / 299;
            (int y0, int x0) = ((int)y, (int)x);
            (double fy, double fx) = (y - y0, x - x0);
            double expected = ((Pixel(c, y0, x0) * (1 - fx) + Pixel(c, y0, x0 + 1) * fx) * (1 - fy))
                + ((Pixel(c, y0 + 1, x0) * (1 - fx) + Pixel(c, y0 + 1, x0 + 1) * fx) * fy);
            Assert.Equal((expected - 128) / 128, prepared[0, c, row, column].ToDouble(), 1e-5);
        }
    }

    [Fact]
    public void Other_files_are_refused_by_name()
    {
        var shape = new ImageShape(3, 8, 8);
        Refused.With("Cannot read", () => InceptionFeatures.Load(_folder.File("none.pth"), shape));
        Refused.With("pickle", () => InceptionFeatures.Load(_folder.Write("text.pth", "not weights"u8), shape));
        var weights = ProceduralInception.Shapes().ToDictionary(s => s.Key, s => zeros(s.Value));
        Build("negative", weights, "Mixed_6c.branch_pool.bn.running_var", full(192, -1f));
        Build("is missing", weights, "Mixed_7c.branch3x3dbl_3b.conv.weight", null);
        Build("[1000,2048]", weights, "fc.weight", zeros(1000, 2048));
        Build("not finite", weights, "Conv2d_1a_3x3.bn.bias", full(32, float.NaN));
        string path = _folder.File("weights.pt");
        Refused.With("gray or RGB", () => InceptionFeatures.Load(path, new ImageShape(4, 8, 8)));
    }

    private static void Build(string reason, Dictionary<string, Tensor> weights, string name, Tensor? other)
    {
        var changed = new Dictionary<string, Tensor>(weights);
        changed.Remove(name);
        if (other is not null)
            changed[name] = other;
        Refused.With(reason, () => InceptionWeights.Build(changed, InceptionKind.PytorchFid, "weights.pth"));
    }

    private static double RelativeError(Tensor actual, Tensor expected)
        => ((actual - expected).abs().max() / expected.abs().max()).ToDouble();
}

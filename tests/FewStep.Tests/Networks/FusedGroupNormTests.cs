using FewStep.Networks;
using FewStep.Tests.Platform;
using TorchSharp;

namespace FewStep.Tests.Networks;

public sealed class FusedGroupNormTests
{
    [Theory]
    [InlineData(1, 16, 4, 4, 3, false, false)]
    [InlineData(3, 96, 24, 7, 7, true, true)]
    [InlineData(2, 160, 32, 5, 3, true, true)]
    [InlineData(2, 192, 32, 1, 2, true, false)]
    [InlineData(2, 64, 16, 14, 14, false, true)]
    public void Equals_the_plain_formula_and_its_derivatives_in_float32(
        int batch, int channels, int groups, int height, int width, bool silu, bool shifted)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        Tensor Normal(params long[] shape) => randn(shape, generator: generator);
        // A mean well away from 0 would show a variance of uncentred values.
        var x = ChannelsLast(Normal(batch, channels, height, width) * 2 + 30).requires_grad_();
        var (gamma, beta) = ((Normal(channels) + 1).requires_grad_(), Normal(channels).requires_grad_());
        var shift = shifted ? Normal(batch, channels).requires_grad_() : null;
        var dy = Normal(batch, channels, height, width);
        Tensor[] inputs = shift is null ? [x, gamma, beta] : [x, gamma, beta, shift];

        Assert.True(FusedGroupNorm.Takes(x));
        var fused = FusedGroupNorm.Apply(x, gamma, beta, shift, groups, 1e-5, silu);
        var fusedGradients = autograd.grad([fused], inputs, [dy]);
        var plain = Plain(x, gamma, beta, shift, groups, silu);
        var plainGradients = autograd.grad([plain], inputs, [dy]);

        AssertClose(plain, fused, 2e-5);
        for (int i = 0; i < inputs.Length; i++)
            AssertClose(plainGradients[i], fusedGradients[i], 1e-4);
    }

    [Fact]
    public void Keeps_bfloat16_within_its_rounding_of_the_float32_formula()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(8);
        var x = ChannelsLast(randn([4, 96, 7, 7], generator: generator).to(ScalarType.BFloat16)).requires_grad_();
        var (gamma, beta, shift) = (rand([96], generator: generator), randn([96], generator: generator),
            randn([4, 96], generator: generator));
        var dy = randn([4, 96, 7, 7], generator: generator).to(ScalarType.BFloat16);
        var wide = x.detach().to(ScalarType.Float32).requires_grad_();

        var fused = FusedGroupNorm.Apply(x, gamma, beta, shift, 24, 1e-6, silu: true);
        var plain = Plain(wide, gamma, beta, shift, 24, silu: true, epsilon: 1e-6);
        var fusedGradient = autograd.grad([fused], [x], [dy])[0];
        var plainGradient = autograd.grad([plain], [wide], [dy.to(ScalarType.Float32)])[0];

        Assert.Equal(ScalarType.BFloat16, fused.dtype);
        Assert.True(((fused.to(ScalarType.Float32) - plain).abs() <= plain.abs() / 256 + 1e-6).all().item<bool>());
        Assert.True(((fusedGradient.to(ScalarType.Float32) - plainGradient).abs() <= plainGradient.abs() / 256 + 1e-5).all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Saturates_without_overflow_and_passes_on_what_is_not_a_number(ScalarType type)
    {
        using var scope = NewDisposeScope();
        // With these parameters z = beta whatever x is.
        float[] z = [-1000, -90, -80, -20, -1, 0, 1, 20, 80, 90, 1000, float.NaN, float.PositiveInfinity, -5, 5, 3];
        var beta = tensor(z);
        var x = ChannelsLast(randn(1, 16, 2, 2).to(type));
        var y = FusedGroupNorm.Apply(x, zeros(16), beta, null, 4, 1e-5, silu: true)[0, TensorIndex.Colon, 0, 0].to(ScalarType.Float32)
            .data<float>().ToArray();
        for (int i = 0; i < z.Length; i++)
        {
            double expected = z[i] / (1 + Math.Exp(-z[i]));
            double tolerance = double.IsFinite(expected) ? Math.Abs(expected) * (type == ScalarType.Float32 ? 1e-6 : 1.0 / 256) + 1e-30 : 0;
            Assert.True(double.IsNaN(expected) ? float.IsNaN(y[i]) : y[i] == expected || Math.Abs(y[i] - expected) <= tolerance,
                $"silu({z[i]}) = {y[i]}, not {expected}");
        }
    }

    [Fact]
    public void Does_not_depend_on_the_number_of_threads()
    {
        using var scope = NewDisposeScope();
        var x = ChannelsLast(randn(9, 32, 5, 5)).requires_grad_();
        var (gamma, beta) = (ones(32).requires_grad_(), zeros(32).requires_grad_());
        byte[] Run(int threads) => OnThread.WithTensorThreads(threads, () =>
        {
            using var own = NewDisposeScope();
            var y = FusedGroupNorm.Apply(x, gamma, beta, null, 8, 1e-5, silu: true);
            var gradients = autograd.grad([y.square().sum()], [x, gamma, beta]);
            return (byte[])[.. y.contiguous().bytes, .. gradients[0].contiguous().bytes, .. gradients[1].bytes, .. gradients[2].bytes];
        });
        Assert.Equal(Run(1), Run(4));
    }

    [Fact]
    public void Leaves_no_tensors_behind()
    {
        void Step()
        {
            using var scope = NewDisposeScope();
            var x = ChannelsLast(randn(2, 16, 4, 4)).requires_grad_();
            var gamma = ones(16).requires_grad_();
            var y = x;
            for (int i = 0; i < 3; i++)
                y = FusedGroupNorm.Apply(y, gamma, zeros(16), randn(2, 16), 4, 1e-5, silu: true);
            y.sum().backward();
        }

        Step();
        long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 5; i++)
            Step();
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Networks_agree_in_both_layouts()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        using var network = new SongUNet(new SongUNetOptions
        {
            ImgResolution = 8,
            InChannels = 4,
            OutChannels = 4,
            LabelDim = 3,
            ModelChannels = 16,
            ChannelMult = [1, 2],
            NumBlocks = 1,
            AttnResolutions = [4],
            Dropout = 0
        });
        // The initial weights nearly switch most layers off.
        var weights = (network.Layout.Initialize(1) + randn([network.Layout.Count], generator: generator) * 0.1).requires_grad_();
        var pass = ForwardPass.Over(network.Layout, weights, ScalarType.Float32);
        var x = randn([2, 4, 8, 8], generator: generator);
        var (noise, condition) = (tensor(new float[] { 0.3f, -1 }), new NetworkCondition { Classes = tensor(new long[] { 2, -1 }) });

        var first = network.Forward(pass, x, noise, condition);
        var last = network.Forward(pass, ChannelsLast(x), noise, condition);
        var gradientFirst = autograd.grad([first.square().sum()], [weights])[0];
        var gradientLast = autograd.grad([last.square().sum()], [weights])[0];

        AssertClose(first, last, 2e-4);
        AssertClose(gradientFirst, gradientLast, 2e-4);
    }

    private static Tensor Plain(Tensor x, Tensor gamma, Tensor beta, Tensor? shift, int groups, bool silu, double epsilon = 1e-5)
    {
        var shifted = (shift is null ? x : x + shift.unsqueeze(2).unsqueeze(3)).contiguous();
        var y = nn.functional.group_norm(shifted, groups, gamma, beta, epsilon);
        return silu ? nn.functional.silu(y) : y;
    }

    private static Tensor ChannelsLast(Tensor x) => x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).detach();

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        double error = (expected - actual).abs().max().item<float>(), size = expected.abs().max().item<float>();
        Assert.True(error <= tolerance * Math.Max(size, 1), $"differs by {error} where values reach {size}");
    }
}

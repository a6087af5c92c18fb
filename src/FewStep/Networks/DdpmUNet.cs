using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Networks;

/// <summary>The architecture of DDPM (Ho et al. 2006.11239) as diffusers' <c>UNet2DModel</c> of convolutional resampling computes it, with the blocks and the manner of names of NVlabs/edm.</summary>
public sealed class DdpmUNet : UNet
{
    private readonly DdpmUNetOptions _options;
    private readonly NetworkBuilder _builder = new();
    private readonly PositionalEmbedding _noise;
    private readonly Linear _layer0;
    private readonly Linear _layer1;
    private readonly Linear? _label;
    private readonly Conv2d _inConvolution;
    private readonly List<(StridedConv2d? Down, UNetBlock? Block)> _encoder = [];
    private readonly List<(Conv2d? Up, UNetBlock? Block, bool JoinsSkip)> _decoder = [];
    private readonly GroupNorm _outNorm;
    private readonly Conv2d _outConvolution;

    /// <summary>Lays the network out.</summary>
    /// <param name="options">Architecture; checked.</param>
    /// <exception cref="Platform.InvalidInputException">An option is out of range.</exception>
    public DdpmUNet(DdpmUNetOptions options)
    {
        options.Validate();
        _options = options;
        int first = options.BlockChannels[0], embedding = first * 4;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        var nearlyZero = init with { Scale = 1e-5 };
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            Heads = options.ChannelsPerHead is null ? 1 : null,
            ChannelsPerHead = options.ChannelsPerHead ?? 1,
            Dropout = options.Dropout,
            Epsilon = options.NormEpsilon,
            NormGroups = options.NormGroups,
            AdaptiveScale = options.ScaleShift,
            Init = init,
            InitZero = nearlyZero,
        };

        _noise = new PositionalEmbedding(first, options.FrequencyEndpoint);
        _layer0 = new Linear(_builder.At("map_layer0"), first, embedding, init);
        _layer1 = new Linear(_builder.At("map_layer1"), embedding, embedding, init);
        _label = options.LabelDim > 0 ? new Linear(_builder.At("map_label"), options.LabelDim, embedding, init, bias: false) : null;
        _inConvolution = new Conv2d(Layer("enc", 0, "conv"), options.InChannels, first, 3, init);
        BuildDecoder(BuildEncoder(block, init), block, init);
        _outNorm = new GroupNorm(_builder.At("out_norm"), first, options.NormEpsilon, options.NormGroups);
        _outConvolution = new Conv2d(_builder.At("out_conv"), first, options.OutChannels, 3, nearlyZero);
    }

    /// <inheritdoc/>
    public override ParameterLayout Layout => _builder.Layout;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Buffers => _builder.Buffers;

    /// <inheritdoc/>
    public override void MoveBuffers(Device device) => _builder.MoveBuffers(device);

    /// <inheritdoc/>
    public override double Dropout => _options.Dropout;

    /// <inheritdoc/>
    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, Tensor? classes)
    {
        var embedding = Embed(pass, noiseLabels, classes);
        var skips = new Stack<Tensor>();
        x = _inConvolution.Forward(pass, x);
        skips.Push(x);
        foreach (var (down, block) in _encoder)
        {
            x = down is null ? block!.Forward(pass, x, embedding) : down.Forward(pass, x);
            skips.Push(x);
        }

        foreach (var (up, block, joinsSkip) in _decoder)
        {
            x = joinsSkip ? cat([x, skips.Pop()], 1) : x;
            x = up is null ? block!.Forward(pass, x, embedding) : up.Forward(pass, x);
        }

        return _outConvolution.Forward(pass, _outNorm.ForwardSilu(pass, x));
    }

    private Stack<int> BuildEncoder(UNetBlockOptions block, WeightInit init)
    {
        int channels = _options.BlockChannels[0];
        var skipChannels = new Stack<int>([channels]);
        for (int level = 0; level < _options.BlockChannels.Count; level++)
        {
            if (level > 0)
            {
                _encoder.Add((new StridedConv2d(Layer("enc", level, "down"), channels, init, _options.SymmetricPadding), null));
                skipChannels.Push(channels);
            }

            for (int i = 0; i < _options.NumBlocks; i++)
            {
                int next = _options.BlockChannels[level];
                _encoder.Add((null, new UNetBlock(Layer("enc", level, $"block{i}"), channels, next, block, attention: HasAttention(level))));
                channels = next;
                skipChannels.Push(channels);
            }
        }

        return skipChannels;
    }

    private void BuildDecoder(Stack<int> skipChannels, UNetBlockOptions block, WeightInit init)
    {
        int last = _options.BlockChannels.Count - 1;
        int channels = skipChannels.Peek();
        for (int level = last; level >= 0; level--)
        {
            if (level == last)
            {
                _decoder.Add((null, new UNetBlock(Layer("dec", level, "in0"), channels, channels, block, attention: true), false));
                _decoder.Add((null, new UNetBlock(Layer("dec", level, "in1"), channels, channels, block), false));
            }
            else
            {
                _decoder.Add((new Conv2d(Layer("dec", level, "up"), channels, channels, 3, init, up: true), null, false));
            }

            for (int i = 0; i <= _options.NumBlocks; i++)
            {
                int joined = channels + skipChannels.Pop();
                channels = _options.BlockChannels[level];
                _decoder.Add((null, new UNetBlock(Layer("dec", level, $"block{i}"), joined, channels, block, attention: HasAttention(level)), true));
            }
        }
    }

    private NetworkBuilder Layer(string half, int level, string name)
    {
        int side = _options.ImgResolution >> level;
        return _builder.At(half).At($"{side}x{side}_{name}");
    }

    private bool HasAttention(int level) => _options.AttnResolutions.Contains(_options.ImgResolution >> level);

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var embedding = _noise.Forward(noiseLabels);
        if (!_options.CosineFirst)
        {
            var cosinesAndSines = embedding.chunk(2, 1);
            embedding = cat([cosinesAndSines[1], cosinesAndSines[0]], 1);
        }

        embedding = _layer1.Forward(pass, nn.functional.silu(_layer0.Forward(pass, embedding)));
        if (_label is not null)
        {
            embedding = embedding.Plus(_label.Forward(pass, OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device)));
        }

        return nn.functional.silu(embedding);
    }
}

using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Networks;

/// <summary>The ADM architecture of Dhariwal and Nichol (2105.05233) as NVlabs/edm writes it, with the same parameter names.</summary>
public sealed class DhariwalUNet : UNet
{
    private const int EdmChannelsPerHead = 64;

    private readonly DhariwalUNetOptions _options;
    private readonly NetworkBuilder _builder = new();
    private readonly PositionalEmbedding _noise;
    private readonly Linear _layer0;
    private readonly Linear _layer1;
    private readonly Linear? _label;
    private readonly Conv2d _inConvolution;
    private readonly List<UNetBlock> _encoder = [];
    private readonly List<(UNetBlock Block, bool JoinsSkip)> _decoder = [];
    private readonly GroupNorm _outNorm;
    private readonly Conv2d _outConvolution;

    /// <summary>Lays the network out.</summary>
    /// <param name="options">Architecture; checked.</param>
    /// <exception cref="Platform.InvalidInputException">An option is out of range.</exception>
    public DhariwalUNet(DhariwalUNetOptions options)
    {
        options.Validate();
        _options = options;
        int embedding = options.ModelChannels * options.ChannelMultEmb;
        var init = new WeightInit(WeightInitMode.KaimingUniform, Math.Sqrt(1.0 / 3));
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            Heads = options.Heads,
            ChannelsPerHead = options.ChannelsPerHead ?? EdmChannelsPerHead,
            NormGroups = options.NormGroups,
            AdaptiveScale = options.ScaleShift ?? true,
            Dropout = options.Dropout,
            Init = init,
            InitZero = WeightInit.Zeros,
        };

        _noise = new PositionalEmbedding(options.ModelChannels, endpoint: false);
        if (options.AugmentDim > 0)
        {
            // Without augmentation labels the reference skips this layer; its weight stays part of the checkpoint.
            _ = new Linear(_builder.At("map_augment"), options.AugmentDim, options.ModelChannels, WeightInit.Zeros, bias: false);
        }

        _layer0 = new Linear(_builder.At("map_layer0"), options.ModelChannels, embedding, init);
        _layer1 = new Linear(_builder.At("map_layer1"), embedding, embedding, init);
        _label = options.LabelDim > 0
            ? new Linear(_builder.At("map_label"), options.LabelDim, embedding, new WeightInit(WeightInitMode.KaimingNormal, Math.Sqrt(options.LabelDim)), bias: false)
            : null;
        int first = options.ModelChannels * options.ChannelMult[0];
        _inConvolution = new Conv2d(Layer("enc", 0, "conv"), options.InChannels, first, 3, init);
        int last = BuildDecoder(BuildEncoder(first, block), block);
        _outNorm = new GroupNorm(_builder.At("out_norm"), last, groups: options.NormGroups);
        _outConvolution = new Conv2d(_builder.At("out_conv"), last, options.OutChannels, 3, WeightInit.Zeros);
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
        foreach (var block in _encoder)
        {
            x = block.Forward(pass, x, embedding);
            skips.Push(x);
        }

        foreach (var (block, joinsSkip) in _decoder)
        {
            x = block.Forward(pass, joinsSkip ? cat([x, skips.Pop()], 1) : x, embedding);
        }

        return _outConvolution.Forward(pass, nn.functional.silu(_outNorm.Forward(pass, x)));
    }

    private Stack<int> BuildEncoder(int channels, UNetBlockOptions block)
    {
        var skipChannels = new Stack<int>([channels]);
        for (int level = 0; level < _options.ChannelMult.Count; level++)
        {
            if (level > 0)
            {
                _encoder.Add(new UNetBlock(Layer("enc", level, "down"), channels, channels, block, down: true));
                skipChannels.Push(channels);
            }

            for (int i = 0; i < _options.NumBlocks; i++)
            {
                int next = _options.ModelChannels * _options.ChannelMult[level];
                _encoder.Add(new UNetBlock(Layer("enc", level, $"block{i}"), channels, next, block, attention: HasAttention(level)));
                channels = next;
                skipChannels.Push(channels);
            }
        }

        return skipChannels;
    }

    private int BuildDecoder(Stack<int> skipChannels, UNetBlockOptions block)
    {
        int last = _options.ChannelMult.Count - 1;
        int channels = skipChannels.Peek();
        for (int level = last; level >= 0; level--)
        {
            if (level == last)
            {
                _decoder.Add((new UNetBlock(Layer("dec", level, "in0"), channels, channels, block, attention: true), false));
                _decoder.Add((new UNetBlock(Layer("dec", level, "in1"), channels, channels, block), false));
            }
            else
            {
                _decoder.Add((new UNetBlock(Layer("dec", level, "up"), channels, channels, block, up: true), false));
            }

            for (int i = 0; i <= _options.NumBlocks; i++)
            {
                int joined = channels + skipChannels.Pop();
                channels = _options.ModelChannels * _options.ChannelMult[level];
                _decoder.Add((new UNetBlock(Layer("dec", level, $"block{i}"), joined, channels, block, attention: HasAttention(level)), true));
            }
        }

        return channels;
    }

    private NetworkBuilder Layer(string half, int level, string name)
    {
        int side = _options.ImgResolution >> level;
        return _builder.At(half).At($"{side}x{side}_{name}");
    }

    private bool HasAttention(int level) => _options.AttnResolutions.Contains(_options.ImgResolution >> level);

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var embedding = nn.functional.silu(_layer0.Forward(pass, _noise.Forward(noiseLabels)));
        embedding = _layer1.Forward(pass, embedding);
        if (_label is not null)
        {
            embedding = embedding.Plus(_label.Forward(pass, OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device)));
        }

        return nn.functional.silu(embedding);
    }
}

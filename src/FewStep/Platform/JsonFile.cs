using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace FewStep.Platform;

/// <summary>The one way this program reads and writes JSON: snake_case names, enums as snake_case text, indented, full double
/// precision.</summary>
internal static class JsonFile
{
    private const long MaximumBytes = 64 << 20;

    /// <summary>Serializer options of every JSON file and of the <c>--json</c> output.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new NumberFormatConverter(),
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { JsonShapeAttribute.Complete } },
    };

    /// <summary>Reads a file of at most 64 MiB.</summary>
    public static T Read<T>(string path) => Read<T>(path, JsonText.Utf8);

    /// <summary>The members of the object in a file of at most 64 MiB that a Python program wrote, whose <c>Infinity</c> and <c>NaN</c> are
    /// texts here.</summary>
    public static Dictionary<string, JsonElement> ReadPython(string path)
        => Read<Dictionary<string, JsonElement>>(path, JsonText.Python);

    /// <summary>What members of the object in a file amount to.</summary>
    public static T From<T>(IReadOnlyDictionary<string, JsonElement> members, string path)
        => Guard(path, () =>
    {
        try
        {
            return JsonSerializer.Deserialize<T>(JsonSerializer.SerializeToUtf8Bytes(members), Options);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidInputException($"{path} holds text that is no Unicode.", e);
        }
    });

    private static T Read<T>(string path, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> utf8) =>
        Guard(path, () => JsonSerializer.Deserialize<T>(utf8(InputFile.ReadAll(path, MaximumBytes)).Span, Options));

    private static T Guard<T>(string path, Func<T?> read)
    {
        try
        {
            return read() ?? throw new InvalidInputException($"{path} holds null.");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path} is not valid: {JsonProblem.Describe(e)}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ReadFailure.Of(path, e);
        }
    }

    public static void Write<T>(string path, T value) => AtomicFile.WriteText(path, Text(value));

    /// <summary>What a file of the value holds.</summary>
    public static string Text<T>(T value) => JsonSerializer.Serialize(value, Options) + "\n";
}

/// <summary>Tells the serializer what a type's properties do not say.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal abstract class JsonShapeAttribute : Attribute
{
    public static void Complete(JsonTypeInfo type) => type.Type.GetCustomAttribute<JsonShapeAttribute>()?.Shape(type);

    protected abstract void Shape(JsonTypeInfo type);
}

/// <summary>Writes number formats as the command line names them: <c>float32</c>, <c>bfloat16</c>.</summary>
internal sealed class NumberFormatConverter : JsonConverter<ScalarType>
{
    public override ScalarType Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Enum.TryParse<ScalarType>(reader.GetString(), ignoreCase: true, out var type)
            && Enum.IsDefined(type)
            ? type
            : throw new JsonException("A number format must be a name such as float32 or bfloat16.");

    public override void Write(Utf8JsonWriter writer, ScalarType value, JsonSerializerOptions options)
        => writer.WriteStringValue(ComputeType.Name(value));
}

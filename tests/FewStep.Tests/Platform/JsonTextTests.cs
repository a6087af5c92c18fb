using System.Text.Json;

namespace FewStep.Tests.Platform;

public sealed class JsonTextTests : FolderTests
{
    public static TheoryData<byte[]> Marked => new()
    {
        { Encode(new UTF8Encoding(true)) },
        { Encode(Encoding.Unicode) },
        { Encode(Encoding.BigEndianUnicode) },
        { Encode(new UTF8Encoding(false)) },
    };

    [Theory]
    [MemberData(nameof(Marked))]
    public void Byte_order_marks_and_utf_16_are_read(byte[] bytes)
    {
        string path = _folder.Write("list.json", bytes);
        Assert.Equal([80, 0.5], JsonFile.Read<double[]>(path));
    }

    [Fact]
    public void Python_s_numbers_that_are_no_json_become_texts_outside_of_texts()
    {
        string path = _folder.Write("python.json",
            """{"a": -Infinity, "b":[NaN,Infinity , -1e-5], "c": "NaN \" -Infinity", "NaN": "I\\"}"""u8);
        var read = JsonFile.ReadPython(path);
        Assert.Equal(("-Infinity", "NaN \" -Infinity", "I\\"), (read["a"].GetString(), read["c"].GetString(), read["NaN"].GetString()));
        Assert.Equal("""["NaN","Infinity" , -1e-5]""", read["b"].GetRawText());
        Refused.With("is not valid", () => JsonFile.ReadPython(_folder.Write("bad.json", """{"a": Infinite}"""u8)));
        Refused.With("is not valid", () => JsonFile.Read<Dictionary<string, JsonElement>>(path));
    }

    private static byte[] Encode(Encoding encoding) => [.. encoding.GetPreamble(), .. encoding.GetBytes("[80,\r\n 0.5]\r\n")];
}

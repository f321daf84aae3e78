"""Ten skills of storyskills in Chinese, which puts no blanks between words: wordings and themes."""

from __future__ import annotations

from helpers.story_wide import joined, theme
from skillshot.sources.storyskills.dsl import Wording
from skillshot.sources.storyskills.languages import Language

WORDINGS = {
    "total_cost": Wording(
        ask=(
            "{items}每个{p}元，{others}每个{q}元。买{n}个{items}和{m}个{others}一共要花多少钱？",
            "{A}买了{n}个{p}元的{items}，又买了{m}个{q}元的{others}，总共花了多少元？",
            "一个{items}卖{p}元，一个{others}卖{q}元，{n}个{items}加{m}个{others}的总价是多少？",
            "{A}想要{n}个{items}和{m}个{others}，单价分别是{p}元和{q}元，请算出总价。",
        ),
        why=(
            "{items}的价钱是单价乘以数量 | 先算第一种东西的钱 | 单价乘数量得到第一笔钱",
            "{others}的价钱也是单价乘以数量 | 再算第二种东西的钱 | 第二笔钱同样用乘法",
            "两笔钱加起来就是总价 | 把价钱相加 | 总共要花的钱",
        ),
    ),
    "change": Wording(
        ask=(
            "{A}买了{n}个{p}元的{items}，付了{cash}元，应该找回多少元？",
            "一个{items}{p}元，{A}买{n}个，给店员{cash}元，找零是多少？",
            "{A}拿{cash}元去买{n}个单价{p}元的{items}，还能找回多少钱？",
            "用{cash}元付{n}个{items}的钱，每个{p}元，求找零。",
        ),
        why=(
            "花掉的钱是单价乘以数量 | 先求货款 | {items}的货款用乘法",
            "付出的钱减去货款就是找零 | 用付款减货款 | 剩下的就是找回的钱",
        ),
    ),
    "discount": Wording(
        ask=(
            "{items}原价{price}元，现在降价{rate}%，现价是多少元？",
            "商店把原价{price}元的{items}打折，便宜{rate}%，{A}要付多少？",
            "{A}看中的{items}标价{price}元，优惠{rate}%以后是多少钱？",
            "标价{price}元的{items}降价百分之{rate}即{rate}%出售，求折后的价格。",
        ),
        why=(
            "便宜的钱是原价的百分之几 | 先算优惠金额 | 降价的部分",
            "原价减去优惠就是现价 | 从原价里减掉便宜的钱 | 折后价格",
        ),
    ),
    "distance": Wording(
        ask=(
            "{vehicle}每小时行{speed}千米，{hours}小时走了多少千米？",
            "{A}坐{vehicle}以每小时{speed}千米的速度走了{hours}小时，路程是多少？",
            "{vehicle}的速度是每小时{speed}千米，求{hours}小时的路程。",
            "一辆{vehicle}开了{hours}小时，时速{speed}千米，一共行驶多远？",
        ),
        why=("路程等于速度乘以时间 | 速度和时间相乘 | {vehicle}的路程用速度乘时间",),
    ),
    "left_over": Wording(
        ask=(
            "{total}个{items}装进{box}，每个{box}装满{n}个，最后剩下几个？",
            "{A}把{total}个{items}按{n}个一份装满{box}，还余下多少个？",
            "每个{box}正好放{n}个{items}，{total}个{items}装满以后会多出几个？",
            "有{total}个{items}，{n}个装一{box}，装不满的余数是多少？",
        ),
        why=("除法的余数就是剩下的 | 装满后余下的个数 | 求除以后的余数",),
    ),
    "average": Wording(
        ask=(
            "{A}有{x}个{items}，{B}有{y}个，{C}有{z}个，平均每人有几个？",
            "三天里分别数到{x}个、{y}个、{z}个{items}，平均每天多少个？",
            "三个{box}里各有{x}、{y}、{z}个{items}，求平均数。",
            "求{x}、{y}和{z}这三个{items}数量的平均值。",
        ),
        why=(
            "先把前两个数相加 | 头两个数的和 | 为了平均先求和",
            "再加上第三个数 | 三个数的和 | 把最后一个数也加上",
            "总和除以三得到平均数 | 平均数等于总和除以个数 | 用三去除总和",
        ),
    ),
    "times_as_many": Wording(
        ask=(
            "{A}有{x}个{items}，{B}的是{A}的{times}倍，两人合起来有几个？",
            "{B}收集的{items}是{A}的{times}倍，{A}收集了{x}个，两人合计多少个？",
            "{A}做了{x}个{items}，{B}做的是他的{times}倍，合在一起多少个？",
            "{x}个{items}和它的{times}倍合起来是多少个？",
        ),
        why=(
            "几倍用乘法来求 | {B}的数量是几倍 | 乘以倍数",
            "两人的合起来 | 把两个数量合计 | {A}和{B}的数量相加",
        ),
    ),
    "age": Wording(
        ask=(
            "{A}今年{x}岁，{B}的年龄是{A}的{times}倍，{years}年以后{B}多少岁？",
            "{B}的年纪是{x}岁的{A}的{times}倍，再过{years}年{B}几岁？",
            "今年{A}{x}岁，{B}的岁数是他的{times}倍，求{years}年后{B}的岁数。",
            "{A}{x}岁，{B}年龄是其{times}倍，过了{years}年{B}的年龄是多少？",
        ),
        why=(
            "现在的年龄用倍数求 | {B}今年的岁数 | 年龄乘以倍数",
            "加上经过的年数 | 几年以后的年龄 | 岁数再加年数",
        ),
    ),
    "area": Wording(
        ask=(
            "长方形{patch}长{l}米，宽{w}米，面积是多少平方米？",
            "{A}量得{patch}的长是{l}米、宽是{w}米，求它的面积。",
            "一块{patch}长{l}米宽{w}米，占地面积有多大？",
            "{patch}是长方形，宽{w}米，长{l}米，它有多少平方米？",
        ),
        why=("面积等于长乘以宽 | 长和宽相乘得面积 | {patch}的面积用长乘宽",),
    ),
    "perimeter": Wording(
        ask=(
            "长方形{patch}长{l}米，宽{w}米，周长是多少米？",
            "{A}绕着长{l}米、宽{w}米的{patch}走一圈，走了多少米？",
            "给长{l}米宽{w}米的{patch}围上一圈栅栏，栅栏要多少米？",
            "{patch}是长方形，宽{w}米，长{l}米，求它的周长。",
        ),
        why=(
            "长加宽是周长的一半 | 先求长与宽的和 | 周长的一半",
            "乘以二得到周长 | 和的两倍就是周长 | 一圈是一半的两倍",
        ),
    ),
}

CHINESE = Language(
    "zh",
    (
        theme(
            "zh-market",
            "小明 丽丽 志强 阿芳",
            "苹果 橘子 土豆 西瓜",
            "篮子 商贩 卡车 摊位 水缸 香油 醋 元",
            ("清晨的集市非常热闹。", "市场里挤满了客人。"),
            ("隔壁的店已经卖了{k}年豆腐。", "门口睡着{k}只猫。"),
        ),
        theme(
            "zh-school",
            "王老师 小红 建国 文文",
            "练习本 铅笔 橡皮 彩纸",
            "抽屉 老师 校车 教室 鱼缸 红颜料 蓝颜料 元",
            ("学校马上要开运动会了。", "教室里正在上美术课。"),
            ("走廊里挂着{k}幅画。", "操场上有{k}个学生在跑步。"),
        ),
        theme(
            "zh-sea",
            "海生 阿浪 渔伯 珍珍",
            "贝壳 渔网 海星 浮标",
            "木桶 渔夫 渔船 沙滩 活鱼舱 海水 淡水 元",
            ("海浪拍打着港口的小村。", "海鸥在防波堤上空盘旋。"),
            ("灯塔建于{k}年前。", "码头上停着{k}条旧船。"),
        ),
        theme(
            "zh-bakery",
            "大厨 小麦 圆圆 阿甜",
            "面包 蛋糕 饼干 月饼",
            "纸盒 面包师 送货车 厨房 面缸 牛奶 蜂蜜 元",
            ("面包房里飘出阵阵香气。", "烤箱从半夜就开始忙碌。"),
            ("墙上的钟慢了{k}分钟。", "窗边摆着{k}盆花。"),
        ),
        theme(
            "zh-space",
            "星河 宇航 阿月 天天",
            "氧气瓶 太阳板 月岩 传感器",
            "货舱 宇航员 月球车 停机坪 冷却箱 燃料 冷却液 元",
            ("空间站正缓缓飞过地球上空。", "火箭刚刚和空间站对接。"),
            ("计算机预报{k}天后有流星雨。", "训练舱昨天停电{k}秒。"),
        ),
        theme(
            "zh-farm",
            "老张 春花 铁柱 小满",
            "鸡蛋 玉米 南瓜 萝卜",
            "麻袋 农民 拖拉机 菜园 水池 豆浆 米酒 元",
            ("秋收的田野一片金黄。", "农场的公鸡天没亮就叫了。"),
            ("稻草人站了{k}年。", "池塘里游着{k}只鸭子。"),
        ),
    ),
    WORDINGS,
    1,
    joined,
)
